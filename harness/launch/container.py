"""Peers in containers, by way of a Docker engine: images built, containers started, everything removed.

Nothing of a run outlives it: a container ends with its input, which the kernel closes whatever happens to
the harness, and the engine removes it then; the run's end removes its network and what is still there; and
what a killed run could not remove, the next run sweeps away once the owner named in the label is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from harness.hosts import Hosts
from harness.manifest import ContainerBuild, Manifest
from harness.memory import Memory, is_in_container, memory_in, memory_of

from .attached import Box, ContainerChannel, Exit
from .context import Context, context_of
from .log import BoundedLog
from .owner import Owner, RunId
from .process import LaunchError

RUN_LABEL, OWNER_LABEL, PEER_LABEL = "zconform.run", "zconform.owner", "zconform.peer"
DEFAULT_HOST = "unix:///var/run/docker.sock"
NOBODY = "65534:65534"
MEMORY_OCTETS = 512 * 2**20
TMP_OCTETS = 64 * 2**20
PIDS = 256
OPEN_FILES = 16_384
# Segments as large as on loopback: how many messages fit into what is under way depends on it.
NETWORK_OPTIONS = {"com.docker.network.driver.mtu": "65535"}
_ENGINE_TIMEOUT_S = 60
_BUILD_TIMEOUT_S = 3600
_ENGINE_ERRORS = (DockerException, OSError)  # what the HTTP client raises is an OSError


@dataclass(frozen=True, slots=True)
class Image:
    """A built image: its name with the digest of its context, and the engine's id of it."""

    tag: str
    id: str

    def __str__(self) -> str:
        return f"{self.tag}@{self.id}"


@dataclass(frozen=True, slots=True)
class Network:
    """The run's network, and the harness's own address on it."""

    name: str
    listen: str


class Engine:
    """A connection to the container engine for one run. LaunchError, in one line, where none answers."""

    def __init__(self, run: RunId) -> None:
        self.run = run
        self._init = True
        self._network: Network | None = None
        try:
            _check_socket(os.environ.get("DOCKER_HOST") or DEFAULT_HOST)
            self._client = docker.from_env(timeout=_ENGINE_TIMEOUT_S)
        except _ENGINE_ERRORS as error:
            raise LaunchError(f"no container engine answers: {_reason(error)}") from None
        self._api = self._client.api
        self._here = Owner.current()
        self._sweep()

    def build(self, manifest: Manifest, logs: Path) -> Image:
        """The peer's image, built where it is not there yet; LaunchError names the build's log."""
        build = manifest.container
        if build is None:
            raise LaunchError(f"{manifest.folder}: there is no Dockerfile")
        try:
            context = context_of(manifest, build)
            tag = f"zconform/{manifest.name}:{context.digest}"
            with _locked(tag):
                return self._find(tag) or self._build(manifest, build, context, tag, logs)
        except _ENGINE_ERRORS as error:
            raise LaunchError(f"{build.dockerfile}: the image cannot be built: {_reason(error)}") from None

    def _find(self, tag: str) -> Image | None:
        try:
            return Image(tag, self._api.inspect_image(tag)["Id"])
        except ImageNotFound:
            return None

    def _build(
        self, manifest: Manifest, build: ContainerBuild, context: Context, tag: str, logs: Path
    ) -> Image:
        log = logs / f"{manifest.name}.build.log"
        problem = ""
        with log.open("w", encoding="utf-8") as file, context.tar() as tar:
            events = self._api.build(
                fileobj=tar,
                custom_context=True,
                dockerfile=context.dockerfile,
                tag=tag,
                buildargs=context.build_args,
                labels={PEER_LABEL: manifest.name},
                rm=True,
                forcerm=True,
                decode=True,
                timeout=_BUILD_TIMEOUT_S,
            )
            for event in events:
                file.write(event.get("stream", ""))
                problem = event.get("error", problem)
            file.write(problem)
        image = self._find(tag)
        if problem or image is None:
            reason = " ".join(problem.split()) or "no image"
            raise LaunchError(f"{build.dockerfile}: the image cannot be built: {reason} (log: {log})")
        return image

    def start(self, manifest: Manifest, log_path: Path, logs: Path) -> ContainerChannel:
        """Start a container of the peer's image, its standard error going to `log_path`."""
        image = self.build(manifest, logs)
        try:
            network = self.network()
            return self._start(manifest, image, network, log_path)
        except _ENGINE_ERRORS as error:
            raise LaunchError(f"{manifest.name}: the container cannot be started: {_reason(error)}") from None

    def _start(self, manifest: Manifest, image: Image, network: Network, log_path: Path) -> ContainerChannel:
        container = self._create(manifest, image, network)
        opened: list[socket.socket] = []
        try:
            exit_ = self._watch(container)
            opened.append(self._attach(container, stdin=True, stdout=True))
            opened.append(self._attach(container, stderr=True))
            self._api.start(container)
            address = self._address(container, network.name)
        except BaseException as error:
            for sock in opened:
                sock.close()
            self._remove(container)
            if self._init and isinstance(error, APIError) and "docker-init" in str(error):
                self._init = False
                return self._start(manifest, image, network, log_path)
            raise
        hosts = Hosts(address, network.listen)
        weigh = partial(self._memory, container)
        box = Box(opened[0], opened[1], exit_, lambda: self._remove(container), hosts, str(image), weigh)
        return ContainerChannel(manifest.name, box, BoundedLog(log_path))

    def _create(self, manifest: Manifest, image: Image, network: Network) -> str:
        """A container that may do nothing but compute, write to /tmp, and talk on the run's network."""
        limits = [
            docker.types.Ulimit(name="nofile", soft=OPEN_FILES, hard=OPEN_FILES),
            docker.types.Ulimit(name="core", soft=0, hard=0),
        ]
        host_config = self._api.create_host_config(
            auto_remove=True,
            cap_drop=["ALL"],
            init=self._init,
            ipc_mode="private",
            log_config=docker.types.LogConfig(type="none"),
            mem_limit=MEMORY_OCTETS,
            memswap_limit=MEMORY_OCTETS,
            network_mode=network.name,
            pids_limit=PIDS,
            read_only=True,
            security_opt=["no-new-privileges"],
            tmpfs={"/tmp": f"rw,noexec,nosuid,nodev,size={TMP_OCTETS}"},
            ulimits=limits,
        )
        created = self._api.create_container(
            image.id,
            stdin_open=True,
            user=NOBODY,
            environment={"HOME": "/tmp"},
            labels={**self._labels, PEER_LABEL: manifest.name},
            host_config=host_config,
        )
        return str(created["Id"])

    def _attach(self, container: str, **streams: bool) -> socket.socket:
        """A stream of the container as a socket of our own, apart from the client that opened it."""
        stream = self._api.attach_socket(container, {"stream": 1, **dict.fromkeys(streams, 1)})
        sock = getattr(stream, "_sock", stream)
        if isinstance(sock, ssl.SSLSocket):
            return sock
        own = socket.socket(fileno=os.dup(sock.fileno()))
        stream._response.close()
        stream.close()
        return own

    def _watch(self, container: str) -> Exit:
        """Learn of the container's removal, and of its exit status, in a thread that waits for the answer."""
        url = f"{self._api.base_url}/v{self._api.api_version}/containers/{container}/wait"
        answer = self._api.post(url, params={"condition": "removed"}, stream=True, timeout=None)
        exit_ = Exit()

        def wait() -> None:
            with contextlib.suppress(*_ENGINE_ERRORS, ValueError, KeyError), contextlib.closing(answer):
                exit_.status = int(answer.json()["StatusCode"])
            exit_.removed.set()

        threading.Thread(target=wait, name=f"wait {container[:12]}", daemon=True).start()
        return exit_

    def _address(self, container: str, network: str) -> str:
        """The container's IP address; "" if it has already ended."""
        try:
            settings = self._api.inspect_container(container)["NetworkSettings"]
        except NotFound:
            return ""
        return str(settings["Networks"][network]["IPAddress"])

    def _memory(self, container: str, forget: bool) -> Memory | None:
        """By the container's processes where they are ours to see, else by the engine's statistics."""
        try:
            pid = int(self._api.inspect_container(container)["State"]["Pid"])
            if is_in_container(pid, container):
                return memory_of(pid, forget=forget)
            return memory_in(self._api.stats(container, stream=False, one_shot=True))
        except (*_ENGINE_ERRORS, ValueError, KeyError, TypeError):
            return None

    def network(self) -> Network:
        """The run's network, made where it is not there yet: internal, so that nothing leads out of it."""
        if self._network is None:
            name = self.run.name
            if not self._api.networks(names=[f"^{name}$"]):
                self._api.create_network(
                    name, driver="bridge", internal=True, labels=self._labels, options=NETWORK_OPTIONS
                )
            listen = self._own_address(name) or self._gateway(name)
            _check_own(listen)
            self._network = Network(name, listen)
        return self._network

    def _own_address(self, network: str) -> str:
        """The address of the harness where it is itself a container of this engine: it joins the network."""
        own = self._here.container
        if not own or not self._runs(own):
            return ""
        if own not in (self._api.inspect_network(network)["Containers"] or {}):
            self._api.connect_container_to_network(own, network)
        return self._address(own, network)

    def _gateway(self, network: str) -> str:
        return str(self._api.inspect_network(network)["IPAM"]["Config"][0]["Gateway"])

    @property
    def _labels(self) -> dict[str, str]:
        return {RUN_LABEL: self.run.name, OWNER_LABEL: self.run.owner.encode()}

    def close(self) -> None:
        """Disconnect; where this process owns the run, remove all that is left of it."""
        with contextlib.suppress(*_ENGINE_ERRORS):
            if self.run.owner == self._here:
                self._remove_all(f"{RUN_LABEL}={self.run.name}")
        self._client.close()

    def _sweep(self) -> None:
        """Remove what runs have left whose owner is gone."""
        with contextlib.suppress(*_ENGINE_ERRORS):
            for labels in self._labels_there():
                if self._is_left_over(labels):
                    self._remove_all(f"{RUN_LABEL}={labels[RUN_LABEL]}")

    def _labels_there(self) -> list[Mapping[str, str]]:
        filters = {"label": RUN_LABEL}
        found = [*self._api.containers(all=True, filters=filters), *self._api.networks(filters=filters)]
        return list({item["Labels"][RUN_LABEL]: item["Labels"] for item in found}.values())

    def _is_left_over(self, labels: Mapping[str, str]) -> bool:
        try:
            owner = Owner.decode(labels.get(OWNER_LABEL, ""))
        except (ValueError, TypeError):
            return False
        return owner.is_gone(self._here, self._runs)

    def _runs(self, container: str) -> bool:
        try:
            return bool(self._api.inspect_container(container)["State"]["Running"])
        except NotFound:
            return False

    def _remove_all(self, label: str) -> None:
        filters = {"label": label}
        for item in self._api.containers(all=True, filters=filters):
            self._remove(item["Id"])
        for item in self._api.networks(filters=filters):
            self._remove_network(item["Id"])

    def _remove_network(self, network: str) -> None:
        """Remove a network, and the harness's own container from it first.

        One that the engine will not part with is left, and does not keep the others.
        """
        with contextlib.suppress(*_ENGINE_ERRORS):
            for container in self._api.inspect_network(network)["Containers"] or {}:
                with contextlib.suppress(APIError):
                    self._api.disconnect_container_from_network(container, network, force=True)
            self._api.remove_network(network)

    def _remove(self, container: str) -> None:
        """Remove a container whatever it does; harmless where it is gone or going."""
        with contextlib.suppress(*_ENGINE_ERRORS):
            self._api.remove_container(container, force=True, v=True)


@contextlib.contextmanager
def _locked(name: str) -> Iterator[None]:
    """One at a time among the processes of this machine: workers do not build the same image twice."""
    path = Path(tempfile.gettempdir()) / f"{name.replace('/', '-').replace(':', '-')}.lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _check_socket(host: str) -> None:
    """OSError where nobody listens on an engine's local socket (the client itself would leak its own)."""
    if host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as sock:
            try:
                sock.connect(host.removeprefix("unix://"))
            except OSError as error:
                raise OSError(f"{host}: {error.strerror}") from None


def _check_own(address: str) -> None:
    """LaunchError unless this machine has the address: then containers and harness can reach each other."""
    with socket.socket() as sock:
        try:
            sock.bind((address, 0))
        except OSError:
            raise LaunchError(
                f"containers are not reachable from here ({address} is not on this machine): "
                "run the harness in a container (peers/README.md)"
            ) from None


def _reason(error: Exception) -> str:
    """An engine's error in one line."""
    text = str(getattr(error, "explanation", None) or error)
    return " ".join(text.split())[:300] or type(error).__name__
