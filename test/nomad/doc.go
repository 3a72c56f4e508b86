// Package nomad checks the job file in deploy/ against the types of Nomad's API.
//
//	deploy/nomad/*.hcl ─► hcl ─► Decode: the fields of api.Job by their hcl tags ─► *api.Job
//
// It is a separate module, because the project needs none of its requirements. An attribute or a block that the types do not
// have is an error, as with nomad job validate.
package nomad
