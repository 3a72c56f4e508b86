package probe

import (
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
)

// A program of Go turns off two settings of each UDP socket. Wine 8 lacks one of them.
func TestUDPSocket_Datagram_Arrives(t *testing.T) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client, err := net.Dial("udp", server.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := io.WriteString(client, "hello"); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 16)
	n, from, err := server.ReadFrom(text)
	if err != nil || string(text[:n]) != "hello" || from.String() != client.LocalAddr().String() {
		t.Errorf("the server read %q from %v, %v; the client is %v", text[:n], from, err, client.LocalAddr())
	}
}

// kubelet serves its device plugins on a Unix socket. On Wine they need WINEGAP=kubelet.
func TestUnixSocket_Dialed_CarriesData(t *testing.T) { asKubelet(t, "sockets") }

// useSockets sends a line to a server on a Unix socket.
func useSockets() error {
	listener, err := net.Listen("unix", "socket")
	if err != nil {
		return err
	}
	defer listener.Close()
	done := make(chan error, 1)
	go func() { // ends with the client's connection
		conn, err := listener.Accept()
		if err == nil {
			_, err = io.Copy(conn, conn)
			err = errors.Join(err, conn.Close())
		}
		done <- err
	}()
	client, err := net.Dial("unix", "socket")
	if err != nil {
		return err
	}
	if _, err := io.WriteString(client, "hello"); err != nil {
		return err
	}
	back := make([]byte, len("hello"))
	if _, err := io.ReadFull(client, back); err != nil || string(back) != "hello" {
		return fmt.Errorf("it sent back %q, %w", back, err)
	}
	return errors.Join(client.Close(), <-done)
}
