{-# LANGUAGE ExistentialQuantification, LambdaCase, OverloadedStrings, RecordWildCards #-}

-- | Control protocol adapter for libzmq, by way of zeromq4-haskell. It reports; it judges nothing.
module Main (main) where

import Control.Concurrent.Async (AsyncCancelled (..), async, cancel, waitCatch)
import Control.Exception
import Control.Monad
import qualified Crypto.Hash.SHA256 as SHA256
import Data.Aeson
import Data.Aeson.Types (Pair, Parser, parseEither)
import Data.Bits (shiftL, (.|.))
import qualified Data.ByteString as B
import qualified Data.ByteString.Base16 as Base16
import qualified Data.ByteString.Builder as Builder
import qualified Data.ByteString.Lazy as L
import Data.Int (Int32, Int64)
import Data.IORef
import Data.List (isInfixOf)
import Data.List.NonEmpty (NonEmpty (..))
import qualified Data.List.NonEmpty as NonEmpty
import qualified Data.Map.Strict as Map
import Data.Maybe (fromMaybe)
import Data.Restricted (N0, N1, N254, Nneg1, Restricted)
import qualified Data.Text as T
import qualified Data.Text.Encoding as T
import Data.Word (Word64)
import GHC.Clock (getMonotonicTime)
import System.Exit (exitFailure)
import System.IO
import System.Posix.Types (Fd)
import System.ZMQ4 hiding (Pair)
import qualified System.ZMQ4 as ZMQ

newtype Octets = Octets {octets :: B.ByteString}

instance FromJSON Octets where
    parseJSON = withText "hex" $ either fail (pure . Octets) . Base16.decode . T.encodeUtf8

instance ToJSON Octets where
    toJSON = String . T.decodeUtf8 . Base16.encode . octets

-- | An answer's error: its kind and detail.
data Failure = Failure T.Text String deriving (Show)

instance Exception Failure

unsupported, failed :: String -> IO a
unsupported = throwIO . Failure "unsupported"
failed = throwIO . Failure "failed"

-- | What one type of socket can: the library's types say so, and the options that only some types have.
data Able = Able
    { sends :: Maybe (NonEmpty B.ByteString -> IO ())
    , receives :: Maybe (IO [B.ByteString])
    , subscribes :: Bool -> B.ByteString -> IO ()
    , own :: [(T.Text, Value -> IO ())]
    }

data Entry = forall a. Entry
    { zmq :: Socket a
    , able :: Able
    , descriptor :: Fd
    , watch :: IORef (Maybe (Bool -> IO (Maybe EventMsg)))
    }

data Adapter = Adapter
    { context' :: Context
    , opened :: IORef Int
    , entries :: IORef (Map.Map Int Entry)
    , partners :: IORef (Map.Map Int Int) -- ^ where a proxy's messages go
    }

nothing :: Able
nothing = Able Nothing Nothing (\_ _ -> failed "this type of socket cannot subscribe") []

types :: Map.Map T.Text (Context -> IO Entry)
types = Map.fromList
    [ ("PAIR", opener ZMQ.Pair both)
    , ("PUB", opener Pub $ \s -> (sender s) {own = [conflation s]})
    , ("SUB", opener Sub $ \s -> (receiver s)
        {own = [conflation s], subscribes = \starts -> (if starts then subscribe else unsubscribe) s})
    , ("XPUB", opener XPub $ \s -> (both s) {own = [("xpub-verbose", using (`setXPubVerbose` s))]})
    , ("XSUB", opener XSub $ \s -> (both s) {subscribes = \starts -> send s [] . B.cons (if starts then 1 else 0)})
    , ("REQ", opener Req $ \s -> (both s)
        {own = [probe s, ("req-relaxed", using (`setReqRelaxed` s)), ("req-correlate", using (`setReqCorrelate` s))]})
    , ("REP", opener Rep both)
    , ("DEALER", opener Dealer $ \s -> (both s) {own = [conflation s, probe s]})
    , ("ROUTER", opener Router $ \s -> (both s) {own = [probe s, ("mandatory", using (`setRouterMandatory` s))]})
    , ("PULL", opener Pull $ \s -> (receiver s) {own = [conflation s]})
    , ("PUSH", opener Push $ \s -> (sender s) {own = [conflation s]})
    ]
  where
    sender s = nothing {sends = Just (sendMulti s)}
    receiver s = nothing {receives = Just (receiveMulti s)}
    both s = (sender s) {receives = receives (receiver s)}
    conflation s = ("conflate", using (`setConflate` s))
    probe s = ("probe-router", using (`setProbeRouter` s))

opener :: SocketType t => t -> (Socket t -> Able) -> Context -> IO Entry
opener kind ableTo context'' = do
    s <- socket context'' kind
    setLinger (restrict (0 :: Int)) s
    Entry s (ableTo s) <$> fileDescriptor s <*> newIORef Nothing

-- | A value for the library from its JSON form.
using :: FromJSON v => (v -> IO ()) -> Value -> IO ()
using act value = either failed act (parseEither parseJSON value)

-- | The same where the library takes not every value.
within :: FromJSON v => (v -> Maybe r) -> (r -> IO ()) -> Value -> IO ()
within limit act = using $ maybe (failed "the library does not take this value") act . limit

-- | The options that every type of socket has; the library sets no others of the control protocol's.
setters :: Socket a -> [(T.Text, Value -> IO ())]
setters s =
    [ ("identity", within (toRestricted . octets :: Octets -> Maybe (Restricted (N1, N254) B.ByteString)) (`setIdentity` s))
    , ("send-hwm", within natural (`setSendHighWM` s))
    , ("receive-hwm", within natural (`setReceiveHighWM` s))
    , ("linger-ms", within (toRestricted :: Int -> Maybe (Restricted (Nneg1, Int32) Int)) (`setLinger` s))
    , ("max-message-octets", within (toRestricted :: Int -> Maybe (Restricted (Nneg1, Int64) Int)) (`setMaxMessageSize` s))
    , ("immediate", using (`setImmediate` s))
    , ("reconnect-interval-ms", within natural (`setReconnectInterval` s))
    ]
  where natural = toRestricted :: Int -> Maybe (Restricted (N0, Int32) Int)

getters :: Socket a -> [(T.Text, IO Value)]
getters s =
    [ ("identity", toJSON . Octets <$> identity s)
    , ("send-hwm", toJSON <$> sendHighWM s)
    , ("receive-hwm", toJSON <$> receiveHighWM s)
    , ("linger-ms", toJSON <$> linger s)
    , ("max-message-octets", toJSON <$> maxMessageSize s)
    , ("immediate", toJSON <$> immediate s)
    , ("reconnect-interval-ms", toJSON <$> reconnectInterval s)
    ]

setOption :: Entry -> T.Text -> Value -> IO ()
setOption Entry {..} option value =
    maybe (unsupported (T.unpack option)) ($ value) (lookup option (own able ++ setters zmq))

find :: Adapter -> Int -> IO Entry
find Adapter {..} number = readIORef entries >>= maybe (failed ("no socket " ++ show number)) pure . Map.lookup number

-- | The library's send and receive wait. This is their first attempt: in a masked thread nothing but that wait
-- can be interrupted. Nothing where they would wait.
atOnce :: IO a -> IO (Maybe a)
atOnce act = mask_ $ do
    thread <- async act
    cancel thread
    waitCatch thread >>= \case
        Right result -> pure (Just result)
        Left problem | Just AsyncCancelled <- fromException problem -> pure Nothing
        Left problem -> throwIO problem

-- | Do it as soon as it need not wait, or not at all within the time; all sockets are served meanwhile.
patiently :: Adapter -> Double -> IO (Maybe a) -> IO (Maybe a)
patiently adapter end act = act >>= \case
    Just result -> pure (Just result)
    Nothing -> do
        busy <- serve adapter
        left <- (end -) <$> getMonotonicTime
        result <- act
        case result of
            Nothing | left > 0 -> await adapter [] (if busy then 0 else ceiling (left * 1000)) >> patiently adapter end act
            _ -> pure result

-- | Let libzmq work, and the proxies; whether there may be more to forward at once.
serve :: Adapter -> IO Bool
serve adapter@Adapter {..} = do
    readIORef entries >>= mapM_ (\Entry {..} -> events zmq) -- the descriptor tells of news once, until this is read
    or <$> (readIORef partners >>= mapM (\(from, to) -> join (forward 1000 <$> find adapter from <*> find adapter to)) . Map.toList)

-- | The library's own proxy has no end while its sockets are open.
forward :: Int -> Entry -> Entry -> IO Bool
forward most Entry {zmq = from, able = source} Entry {zmq = to, able = target} = go most
  where
    go left = do
        ready <- (&&) <$> (elem In <$> events from) <*> (elem Out <$> events to)
        case (receives source, sends target) of
            (Just receiveParts, Just sendParts) | ready && left > 0 -> do
                receiveParts >>= mapM_ (atOnce . sendParts) . NonEmpty.nonEmpty
                go (left - 1)
            _ -> pure (left < most)

-- | Wait until a socket has news or one of the other descriptors has input; whether the latter.
await :: Adapter -> [Fd] -> Timeout -> IO Bool
await Adapter {..} others timeout = do
    descriptors <- map descriptor . Map.elems <$> readIORef entries
    any (not . null) . take (length others) <$> poll timeout (map file (others ++ descriptors)) -- its end is Err
  where
    file fd = File fd [In] Nothing :: Poll Socket IO

offer :: Adapter -> Entry -> [B.ByteString] -> Double -> IO T.Text
offer adapter Entry {able = Able {..}} parts end = case (sends, parts) of
    (Just sendParts, first : others) ->
        (maybe "would-block" (const "accepted") <$> patiently adapter end (atOnce (sendParts (first :| others))))
            `catch` \problem -> case errno problem of
                113 -> pure "unroutable" -- EHOSTUNREACH
                156384763 -> pure "refused" -- EFSM
                95 -> pure "refused" -- ENOTSUP
                _ -> throwIO (problem :: ZMQError)
    _ -> pure "refused"

receiveWithin :: Adapter -> Entry -> Double -> IO (Maybe [B.ByteString])
receiveWithin adapter Entry {able = Able {..}} end =
    maybe (failed "this type of socket cannot receive") (patiently adapter end . atOnce) receives

flood :: Adapter -> Entry -> Int -> Int -> Int -> [B.ByteString] -> Double -> IO Int
flood adapter entry count size seed envelope end = go 0
  where
    pattern' = B.concat (replicate (size `div` 256 + 2) (B.pack [0 .. 255]))
    body index = B.append (big index) (B.take (size - 8) (B.drop ((seed + index + 8) `mod` 256) pattern'))
    go index | index == count = pure count
    go index = offer adapter entry (envelope ++ [body index]) end >>= \case
        "accepted" -> go (index + 1)
        _ -> pure index

drain :: Adapter -> Entry -> Int -> Double -> IO [Pair]
drain adapter entry count end = go 0 SHA256.init Nothing Nothing
  where
    go received digest first latest
        | received < count = receiveWithin adapter entry end >>= \case
            Just parts -> do
                let body = last parts
                    index = if B.length body >= 8 then Just (B.foldl' shift (0 :: Word64) (B.take 8 body)) else Nothing
                    digest' = SHA256.updates digest [big (B.length body), body]
                digest' `seq` go (received + 1) digest' (if received == 0 then index else first) index
            Nothing -> done
        | otherwise = done
      where
        done = pure ["received" .= received, "digest" .= Octets (SHA256.finalize digest), "first" .= first, "last" .= latest]
    shift value octet = value `shiftL` 8 .|. fromIntegral octet

big :: Int -> B.ByteString
big = L.toStrict . Builder.toLazyByteString . Builder.word64BE . fromIntegral

-- | The events that the library knows: with AllEvents it gets libzmq's later ones too, and fails on them.
eventTypes :: [EventType]
eventTypes =
    [ ConnectedEvent, ConnectDelayedEvent, ConnectRetriedEvent, ListeningEvent, BindFailedEvent, AcceptedEvent
    , AcceptFailedEvent, ClosedEvent, CloseFailedEvent, DisconnectedEvent ]

described :: EventMsg -> Value
described = \case
    Connected endpoint value -> about "connected" endpoint (fromIntegral value)
    ConnectDelayed endpoint -> about "connect-delayed" endpoint 0
    ConnectRetried endpoint value -> about "connect-retried" endpoint value
    Listening endpoint value -> about "listening" endpoint (fromIntegral value)
    BindFailed endpoint value -> about "bind-failed" endpoint value
    Accepted endpoint value -> about "accepted" endpoint (fromIntegral value)
    AcceptFailed endpoint value -> about "accept-failed" endpoint value
    Closed endpoint value -> about "closed" endpoint (fromIntegral value)
    CloseFailed endpoint value -> about "close-failed" endpoint value
    Disconnected endpoint value -> about "disconnected" endpoint (fromIntegral value)
    MonitorStopped endpoint value -> about "monitor-stopped" endpoint value
  where
    about :: T.Text -> B.ByteString -> Int -> Value
    about name endpoint value = object ["event" .= name, "endpoint" .= T.decodeUtf8 endpoint, "value" .= value]

monitored :: Adapter -> Entry -> IO [Value]
monitored Adapter {..} Entry {..} = do
    next <- readIORef watch >>= maybe (monitor eventTypes context' zmq) pure
    writeIORef watch (Just next)
    let news = atOnce (next True) >>= maybe (pure []) (\event -> (maybe [] (pure . described) event ++) <$> news)
    news

closeSocket :: Adapter -> Int -> IO ()
closeSocket adapter@Adapter {..} number = do
    Entry {..} <- find adapter number
    modifyIORef' partners (Map.filterWithKey (\from to -> number `notElem` [from, to]))
    modifyIORef' entries (Map.delete number)
    readIORef watch >>= mapM_ ($ False)
    close zmq

run :: Adapter -> T.Text -> Object -> IO [Pair]
run adapter@Adapter {..} op request = case op of
    "hello" -> do
        (major, minor, patch) <- version
        let number = T.intercalate "." (map (T.pack . show) [major, minor, patch]) <> " (zeromq4-haskell 0.8.0)"
        pure [ "peer" .= String "zeromq4-haskell", "library" .= String "libzmq", "version" .= number
             , "language" .= String "Haskell", "control" .= String "1" ]
    "open" -> do
        kind <- field "type"
        options <- field "options"
        entry <- maybe (unsupported (T.unpack kind)) ($ context') (Map.lookup kind types)
        mapM_ (uncurry (setOption entry)) (Map.toList options) `onException` (case entry of Entry {..} -> close zmq)
        number <- atomicModifyIORef' opened (\count -> (count + 1, count + 1))
        modifyIORef' entries (Map.insert number entry)
        pure ["socket" .= number]
    "close" -> done (field "socket" >>= closeSocket adapter)
    "set" -> done (join (setOption <$> here <*> field "option" <*> field "value"))
    "get" -> do
        Entry {..} <- here
        option <- field "option"
        value <- fromMaybe (unsupported (T.unpack option)) (lookup option (getters zmq))
        pure ["value" .= value]
    "bind" -> attached $ \Entry {..} endpoint -> bind zmq endpoint >> lastEndpoint zmq
    "connect" -> attached $ \Entry {..} endpoint -> connect zmq endpoint >> pure endpoint
    "unbind" -> done (here >>= \Entry {..} -> field "endpoint" >>= unbind zmq)
    "disconnect" -> done (here >>= \Entry {..} -> field "endpoint" >>= disconnect zmq)
    "subscribe" -> done (here >>= \Entry {..} -> field "prefix" >>= subscribes able True . octets)
    "cancel" -> done (here >>= \Entry {..} -> field "prefix" >>= subscribes able False . octets)
    "send" -> do
        outcome <- join (offer adapter <$> here <*> (map octets <$> field "parts") <*> end)
        pure ["outcome" .= outcome]
    "recv" -> join (receiveWithin adapter <$> here <*> end) >>= \case
        Just parts -> pure ["parts" .= map Octets parts]
        Nothing -> throwIO (Failure "timeout" "nothing received")
    "poll" -> do
        numbers <- field "sockets"
        until' <- end
        let readable = filterM (\number -> find adapter number >>= \Entry {..} -> elem In <$> events zmq) numbers
        found <- patiently adapter until' ((\some -> if null some then Nothing else Just some) <$> readable)
        pure ["readable" .= fromMaybe [] found]
    "flood" -> do
        envelope <- either failed (pure . maybe [] (map octets)) (parseEither (.:? "head") request)
        accepted <- join (flood adapter <$> here <*> field "count" <*> field "size_octets" <*> field "seed"
                          <*> pure envelope <*> end)
        pure ["accepted" .= accepted]
    "drain" -> join (drain adapter <$> here <*> field "count" <*> end)
    "proxy" -> do
        (frontend, backend) <- (,) <$> field "frontend" <*> field "backend"
        mapM_ (find adapter) [frontend, backend]
        modifyIORef' partners (Map.union (Map.fromList [(frontend, backend), (backend, frontend)]))
        pure []
    "monitor" -> here >>= monitored adapter >>= \seen -> pure ["events" .= seen]
    _ -> unsupported (T.unpack op)
  where
    field :: FromJSON v => Key -> IO v
    field name = either failed pure (parseEither (.: name) request)
    here = field "socket" >>= find adapter
    end = (\now ms -> now + ms / 1000) <$> getMonotonicTime <*> field "timeout_ms"
    done act = act >> pure []
    attached act = do
        entry@Entry {..} <- here
        endpoint <- field "endpoint"
        setIpv6 ("[" `isInfixOf` endpoint) zmq
        result <- act entry endpoint
        pure ["endpoint" .= result]

answer :: Adapter -> Object -> Int -> T.Text -> IO Value
answer adapter request number op = handle refusal $ (\ok -> object ["id" .= number, "ok" .= object ok]) <$> run adapter op request
  where
    refusal problem = pure $ object ["id" .= number, "error" .= object ["kind" .= kind, "detail" .= detail]]
      where
        (kind, detail) = case (fromException problem, fromException problem) of
            (Just (Failure kind' detail'), _) -> (kind', detail')
            (_, Just libraryError) -> ("failed", message libraryError)
            _ -> ("failed", takeWhile (/= '\n') (displayException (problem :: SomeException)))

-- | Answer requests until the end of input; in between libzmq works whenever it has news.
main :: IO ()
main = do
    adapter@Adapter {..} <- Adapter <$> context <*> newIORef 0 <*> newIORef Map.empty <*> newIORef Map.empty
    let loop = do
            busy <- serve adapter
            input <- await adapter [0] (if busy then 0 else -1)
            ended <- if input then hIsEOF stdin else pure False
            when (input && not ended) (B.hGetLine stdin >>= respond adapter)
            unless ended loop
    hSetBinaryMode stdout True
    loop
    readIORef entries >>= mapM_ (closeSocket adapter) . Map.keys
    term context'

respond :: Adapter -> B.ByteString -> IO ()
respond adapter line = case eitherDecodeStrict line >>= \request -> (,) request <$> parseEither headOf request of
    Right (request, (number, op)) -> do
        whole <- answer adapter request number op
        L.hPut stdout (encode whole <> "\n")
        hFlush stdout
    Left problem -> hPutStrLn stderr problem >> exitFailure
  where
    headOf :: Object -> Parser (Int, T.Text)
    headOf request = (,) <$> request .: "id" <*> request .: "op"
