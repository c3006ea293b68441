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
	"slices"
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
	// As much as net.core.rmem_max allows: by default 300 datagrams, three quarters of a second of probes of both families.
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

// Of the lines `Udp6RcvbufErrors N`; and `Udp: … RcvbufErrors …` above `Udp: … N …` for IPv4 (proc_net(5)).
func dropped() {
	total := 0
	four, _ := os.ReadFile("/proc/net/snmp")
	var names []string
	for line := range strings.Lines(string(four)) {
		fields := strings.Fields(line)
		if fields[0] != "Udp:" {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		count, _ := strconv.Atoi(fields[slices.Index(names, "RcvbufErrors")])
		total += count
	}
	six, _ := os.ReadFile("/proc/net/snmp6")
	for line := range strings.Lines(string(six)) {
		fields := strings.Fields(line)
		if fields[0] == "Udp6RcvbufErrors" {
			count, _ := strconv.Atoi(fields[1])
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
