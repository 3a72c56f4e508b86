package resource

import "encoding/json"

// legacy is the file format before version 2. It is read for one release, because the executable of a shim may be
// replaced while the shim runs.
type legacy struct {
	Layers *struct{ Kind, Scratch, Volume string } `json:"layers"`

	Namespace   string   `json:"network_namespace"`
	Endpoints   []string `json:"endpoints"`
	Credentials bool     `json:"credentials"`

	Job     bool     `json:"job"` // a job container, which has no compute system
	Mount   string   `json:"mount"`
	Kept    []string `json:"kept"`
	Account string   `json:"account"`
}

// parseLegacy lists the resources of the container id. That format does not contain the id.
func parseLegacy(text []byte, id string) (list []Resource, err error) {
	var l legacy
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, err
	}
	add := func(is bool, r Resource) {
		if is {
			list = append(list, r)
		}
	}
	add(l.Account != "", Resource{Kind: Account, Name: l.Account})
	if s := l.Layers; s != nil {
		images := s.Kind != "windows-layer"
		add(images, Resource{Kind: Images, Name: id})
		add(s.Volume == "", Resource{Kind: ActiveLayer, Path: s.Scratch})
		add(s.Volume == "" && !images, Resource{Kind: PreparedLayer, Path: s.Scratch})
		add(s.Volume == "" && images, Resource{Kind: Union, Path: s.Scratch})
	}
	for _, dir := range l.Kept {
		add(true, Resource{Kind: Directory, Path: dir})
	}
	add(l.Mount != "", Resource{Kind: Mount, Path: l.Mount})
	add(l.Namespace != "", Resource{Kind: Namespace, Name: l.Namespace})
	for _, endpoint := range l.Endpoints {
		add(true, Resource{Kind: Endpoint, Name: endpoint, In: l.Namespace})
	}
	add(l.Credentials, Resource{Kind: Credentials, Name: id})
	add(!l.Job, Resource{Kind: System, Name: id})
	return list, nil
}
