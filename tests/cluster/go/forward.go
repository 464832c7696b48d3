package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// forward listens where it runs and connects from inside another network namespace: that is how an address of the
// cluster, whose network nothing leads into, is reached from the machine.
func forward() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: forward LISTEN_ON NAMESPACE_FILE ADDRESS")
		os.Exit(2)
	}
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	namespace, err := os.Open(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go join(client, namespace, os.Args[3])
	}
}

func join(client net.Conn, namespace *os.File, address string) {
	defer client.Close()
	server, err := dialInside(namespace, address)
	if err != nil {
		log.Print(err)
		return
	}
	defer server.Close()
	go carry(server, client)
	carry(client, server)
}

// dialInside connects from a thread that has entered the namespace. The thread is never unlocked, so it ends with its
// goroutine, and no other code ever finds itself in there.
func dialInside(namespace *os.File, address string) (connection net.Conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if err = unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err == nil {
			connection, err = net.Dial("tcp", address)
		}
	}()
	<-done
	return
}

func carry(to, from net.Conn) {
	io.Copy(to, from)
	to.(*net.TCPConn).CloseWrite()
}
