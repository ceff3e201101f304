module zconform/peers/pebbe-zmq4

go 1.22

require github.com/pebbe/zmq4 v1.4.0
