package wcow

import (
	"errors"
	"fmt"
	"strings"

	"github.com/Microsoft/go-winio/pkg/guid"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// ParseNetwork parses the network of a container: either one namespace=GUID to join, or each endpoint=GUID of a namespace
// that is created with the container; and dns-search=DOMAIN. Without words there is no network.
func ParseNetwork(words []string) (*specs.WindowsNetwork, error) {
	if len(words) == 0 {
		return nil, nil
	}
	n := new(specs.WindowsNetwork)
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		switch {
		case key == "dns-search" && value != "":
			n.DNSSearchList = append(n.DNSSearchList, value)
		case key != "namespace" && key != "endpoint":
			return nil, fmt.Errorf("--network %q is not namespace=GUID, endpoint=GUID or dns-search=DOMAIN", word)
		case !isGUID(value):
			return nil, fmt.Errorf("--network %q: %q is no GUID such as 6bf84ac7-5bd1-4b5e-9a8e-2f3c1f0c7a11", word, value)
		case key == "endpoint":
			n.EndpointList = append(n.EndpointList, value)
		case n.NetworkNamespace != "":
			return nil, errors.New("--network: a container is in one namespace")
		default:
			n.NetworkNamespace = value
		}
	}
	switch joined := n.NetworkNamespace != ""; {
	case joined && len(n.EndpointList) > 0:
		return nil, errors.New("--network: namespace= and endpoint= exclude each other: the endpoints of a namespace are its keeper's")
	case !joined && len(n.EndpointList) == 0:
		return nil, errors.New("--network: dns-search= needs a namespace= or an endpoint=")
	}
	return n, nil
}

// isGUID reports whether text is a GUID without braces.
func isGUID(text string) bool {
	_, err := guid.FromString(text)
	return err == nil
}
