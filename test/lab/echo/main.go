// A workload for tests: says which pod answered, and to whom.
//
//	HTTP :8080   any path: "POD NODE CLIENT\n" (NODE from the environment, "-" without it)
//	TCP  :8081   echoes what it reads, after a first line "POD\n": for connections that must live through a move
//	UDP  :8080   "POD " before each datagram
package main

import (
	"cmp"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
)

var pod, _ = os.Hostname()

func serveHTTP() {
	node := cmp.Or(os.Getenv("NODE"), "-")
	log.Fatal(http.ListenAndServe(":8080", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, _, _ := net.SplitHostPort(r.RemoteAddr)
		fmt.Fprintln(w, pod, node, client)
	})))
}

func serveTCP() {
	listener, err := net.Listen("tcp", ":8081")
	if err != nil {
		log.Fatal(err)
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer connection.Close()
			fmt.Fprintln(connection, pod)
			io.Copy(connection, connection)
		}()
	}
}

func serveUDP() {
	socket, err := net.ListenPacket("udp", ":8080")
	if err != nil {
		log.Fatal(err)
	}
	datagram := make([]byte, 1500)
	for {
		length, client, err := socket.ReadFrom(datagram)
		if err != nil {
			log.Fatal(err)
		}
		socket.WriteTo(append([]byte(pod+" "), datagram[:length]...), client)
	}
}

func main() {
	go serveTCP()
	go serveUDP()
	serveHTTP()
}
