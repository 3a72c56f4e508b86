package kube

import (
	"encoding/json"
	"fmt"
	"os"
)

// credentials are how a client identifies itself: by a certificate or by a token.
type credentials struct {
	pair
	token string
}

// writeKubeconfig writes the configuration of a client. It holds all certificates, so that it has no path.
func writeKubeconfig(file, server string, ca []byte, who credentials) error {
	type object = map[string]any
	user := object{}
	if who.token != "" {
		user["token"] = who.token
	} else {
		user["client-certificate-data"], user["client-key-data"] = who.cert, who.key
	}
	const name = "test"
	text, err := json.MarshalIndent(object{
		"apiVersion": "v1", "kind": "Config", "current-context": name,
		"clusters": []object{{"name": name, "cluster": object{"server": server, "certificate-authority-data": ca}}},
		"users":    []object{{"name": name, "user": user}},
		"contexts": []object{{"name": name, "context": object{"cluster": name, "user": name}}},
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return os.WriteFile(file, text, 0o600)
}
