package command

import (
	"encoding/json"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/cmd/silo/limit"
	"github.com/siloshim/siloshim/cmd/silo/wcow"
	"github.com/siloshim/siloshim/schema"
)

// explained is what would be made for a Windows Server container. What exists only once it is made is not there: the
// volume, the ids of the layers, a network namespace. The values of the environment may be secrets, and are left out.
type explained struct {
	ID        string                    `json:"id"`
	Scratch   string                    `json:"scratch_layer"`
	Parents   []string                  `json:"parent_layers"`
	Endpoints []string                  `json:"endpoints_of_own_namespace,omitzero"`
	Account   bool                      `json:"credentials,omitempty"`
	System    json.RawMessage           `json:"HcsCreateComputeSystem"`
	Affinity  []affinity                `json:"SetInformationJobObject_affinity,omitempty"`
	Process   *schema.ProcessParameters `json:"HcsCreateProcess"`
	Warnings  []string                  `json:"warnings,omitempty"`
}

// affinity is a set of processors of one group.
type affinity struct {
	Mask  uint64 `json:"mask"`
	Group uint16 `json:"group"`
}

// noPath stands before the name of a layer that is not known, to be planned as a path. It is not shown.
const noPath = `C:\?`

// explainServer plans the specification as the shim does, or as silo does where owner says so.
func (a *App) explainServer(f *explainFlags, m limit.Machine, s *specs.Spec, owner string, warnings []string) error {
	if s.Windows != nil && len(s.Windows.LayerFolders) == 0 {
		// containerd brings the layers with the request, which is not in the file.
		s.Windows.LayerFolders = []string{noPath + "(parent layers)", noPath + "(scratch layer)"}
	}
	plan, err := a.explainHost(m).WCOW(f.id, s, nil)
	if err != nil {
		return err
	}
	plan.Document.Owner = owner
	document, err := schema.Marshal(&plan.Document)
	if err != nil {
		return err
	}
	e := explained{
		ID: f.id, Scratch: strings.TrimPrefix(plan.Layers.Scratch, noPath), Account: plan.CredentialSpec != "",
		System: document, Process: plan.Process.Parameters(owner != serverOwner, true, true), Warnings: append(warnings, plan.Warnings...),
	}
	for _, parent := range plan.Layers.Parents {
		e.Parents = append(e.Parents, strings.TrimPrefix(parent, noPath))
	}
	if plan.OwnNamespace {
		e.Endpoints = append([]string{}, plan.Endpoints...)
	}
	for _, set := range plan.Affinity {
		e.Affinity = append(e.Affinity, affinity{set.Mask, set.Group})
	}
	for name := range e.Process.Environment {
		e.Process.Environment[name] = "(not shown)"
	}
	return a.showJSON(e)
}

// explainNspawn shows what silo nspawn would make, but for the layers below the one that the file names.
func (a *App) explainNspawn(f *explainFlags, m limit.Machine, text []byte) error {
	n, err := schema.ParseNspawnConfig(text)
	if err != nil {
		return err
	}
	if _, err := wcow.NspawnOutput(n); err != nil {
		return err
	}
	s, dropped := wcow.Nspawn(n, []string{n.ParentLayerDirectory, noPath + "(scratch layer)"})
	return a.explainServer(f, m, s, serverOwner, dropped)
}
