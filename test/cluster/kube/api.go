package kube

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// API is a client of the apiserver with all rights. It is safe for concurrent use.
type API struct {
	server string
	client *http.Client
	// kubelet is the same client for kubelet, whose certificate is signed by itself.
	kubelet *http.Client
}

func newAPI(server string, ca []byte, admin pair) (*API, error) {
	cert, err := tls.X509KeyPair(admin.cert, admin.key)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{cert}}}
	trusting := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{cert}}}
	return &API{server, &http.Client{Transport: transport}, &http.Client{Transport: trusting}}, nil
}

// Refused is the answer of the apiserver to a request that failed.
type Refused struct {
	Code int
	Text string
}

func (r *Refused) Error() string { return fmt.Sprintf("apiserver: status %d: %s", r.Code, r.Text) }

// Get reads an object or a list, such as "api/v1/nodes", into a value. With a nil value the answer is only checked.
func (a *API) Get(ctx context.Context, path string, into any) error {
	return a.call(ctx, http.MethodGet, path, "", nil, into)
}

// Create creates an object in a collection.
func (a *API) Create(ctx context.Context, path string, object any) error {
	return a.post(ctx, path, object, nil)
}

// post is Create that reads the answer into a value, unless that is nil.
func (a *API) post(ctx context.Context, path string, object, into any) error {
	text, err := json.Marshal(object)
	if err != nil {
		return err
	}
	return a.call(ctx, http.MethodPost, path, "application/json", text, into)
}

// Patch merges fields into an object.
func (a *API) Patch(ctx context.Context, path string, fields any) error {
	text, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	return a.call(ctx, http.MethodPatch, path, "application/merge-patch+json", text, nil)
}

// Delete deletes an object, and those that it owns later.
func (a *API) Delete(ctx context.Context, path string) error {
	return a.call(ctx, http.MethodDelete, path, "", nil, nil)
}

func (a *API) call(ctx context.Context, method, path, kind string, body []byte, into any) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // an apiserver that hangs answers none
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, a.server+"/"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	response, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %w", method, path, &Refused{response.StatusCode, string(text)})
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}

// summary reads kubelet's statistics. The apiserver forwards no request to a loopback address.
func (a *API) summary(ctx context.Context, port string, into any) error {
	kubelet := &API{server: "https://" + net.JoinHostPort(localhost, port), client: a.kubelet}
	return kubelet.Get(ctx, "stats/summary", into)
}

// Until polls until holds returns true. Its last error explains a timeout. Watches are not used: a poll also sees what
// happened before it.
func Until(ctx context.Context, what string, holds func() (bool, error)) error {
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for {
		ok, err := holds()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, errors.Join(ctx.Err(), err))
		case <-again.C:
		}
	}
}

// Ready returns an error unless the apiserver and all that it needs are ready.
func (a *API) Ready(ctx context.Context) error {
	return a.call(ctx, http.MethodGet, "readyz", "", nil, nil)
}
