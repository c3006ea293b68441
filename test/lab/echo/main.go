// A workload for tests: says which pod answered, and to whom.
//
//	HTTP :8080   any path: "POD NODE CLIENT\n" (NODE from the environment, "-" without it)
//	TCP  :8081   echoes what it reads, after a first line "POD\n": for connections that must live through a move
//	UDP  :8080   "POD " before each datagram
//
// As `echo get URL` (kubectl exec) it is a client within the pod network: prints the status and the body. As `echo dropped` it
// prints how many datagrams the pod's kernel dropped since a socket was full, for want of a processor that reads it.
package main

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
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
	socket, err := net.ListenUDP("udp", &net.UDPAddr{Port: 8080})
	if err != nil {
		log.Fatal(err)
	}
	// As much as net.core.rmem_max allows: by default it is 256 datagrams, 0.6 s of probes of both families.
	if err := socket.SetReadBuffer(1 << 20); err != nil {
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

// Certificates are not checked: what is asked is whether the address answers.
func get(url string) {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	client := &http.Client{Timeout: 3 * time.Second, Transport: transport}
	response, err := client.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	fmt.Println(response.StatusCode)
	io.Copy(os.Stdout, response.Body)
}

// The last column of /proc/net/udp and udp6, whose headers are no numbers.
func dropped() {
	total := 0
	for _, file := range []string{"/proc/net/udp", "/proc/net/udp6"} {
		sockets, err := os.ReadFile(file)
		if err != nil {
			log.Fatal(err)
		}
		for line := range strings.Lines(string(sockets)) {
			fields := strings.Fields(line)
			count, _ := strconv.Atoi(fields[len(fields)-1])
			total += count
		}
	}
	fmt.Println(total)
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "dropped" {
		dropped()
		return
	}
	if len(os.Args) == 3 && os.Args[1] == "get" {
		get(os.Args[2])
		return
	}
	log.Println("listening as", pod)
	go serveTCP()
	go serveUDP()
	serveHTTP()
}
