package kube

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The apiserver accepts the client's certificate, and the client the server's.
func TestAuthority_ClientAndServer_TrustEachOther(t *testing.T) {
	ca, err := newAuthority()
	if err != nil {
		t.Fatal(err)
	}
	serving, err := ca.server("kube-apiserver", nil, net.ParseIP(localhost))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := tls.X509KeyPair(serving.cert, serving.key)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := ca.client("admin", "system:masters")
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(ca.cert)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := r.TLS.PeerCertificates[0].Subject
		if who.CommonName != "admin" || len(who.Organization) != 1 || who.Organization[0] != "system:masters" {
			http.Error(w, who.String(), http.StatusForbidden)
		}
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert}
	server.StartTLS()
	defer server.Close()
	api, err := newAPI(server.URL, ca.cert, admin)
	if err != nil {
		t.Fatal(err)
	}
	if err := api.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

// The executables have the version that go.mod requires.
func TestKubernetesVersion_GoMod_IsLinked(t *testing.T) {
	flags, err := kubernetesVersion(filepath.Join("..", "programs", "go.mod"))
	if err != nil || !strings.Contains(flags, "version.gitVersion=v1.") || !strings.Contains(flags, "version.gitMajor=1 ") {
		t.Errorf("flags %q, %v", flags, err)
	}
	other := filepath.Join(t.TempDir(), "go.mod")
	if err := os.WriteFile(other, []byte("module other\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := kubernetesVersion(other); err == nil {
		t.Error("a module without Kubernetes has a version")
	}
}

// A cluster runs without metrics-server, and only metrics-server.
func TestBuilt_WithoutMetricsServer_CanStart(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(cacheDir(root), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, command := range commands {
		if command == metricsCommand {
			continue
		}
		if err := Built(root); !errors.Is(err, ErrNotBuilt) || !strings.Contains(err.Error(), nameOf(command)+".exe") {
			t.Errorf("without %s: error %v", command, err)
		}
		if err := os.WriteFile(filepath.Join(cacheDir(root), nameOf(command)+".exe"), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := Built(root); err != nil {
		t.Error(err)
	}
	if err := built(root, metricsCommand); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("metrics-server: error %v", err)
	}
}

// Without its executables there is no cluster, and the error names one.
func TestBuilt_EmptyCache_NamesTheExecutable(t *testing.T) {
	if err := Built(t.TempDir()); !errors.Is(err, ErrNotBuilt) || !strings.Contains(err.Error(), "kubelet.exe") {
		t.Errorf("error %v", err)
	}
}
