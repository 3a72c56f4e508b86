// Package schema has the JSON documents of the Windows Host Compute Service
// (HCS) as Go types: what a Windows Server container is made of, what is asked
// of it and what the service answers.
//
//	ComputeSystem ── Container ── Storage, Processor, Memory, Networking, ...
//	ProcessParameters ── ProcessStatus, ProcessModifyRequest, SignalProcessOptions
//	PropertyQuery ── Properties ── Statistics, ProcessDetails
//	ModifySettingRequest, ModificationRequest ── ServiceProperties
//	ResultError, SystemExitStatus
//
// The documents are those of schema version 2, at the level that the service of
// Windows Server 2019 understands ([Level]). Numbers are as wide as Microsoft
// documents them. Fields have Microsoft's own names; a field that the reference
// of the schema does not list, but that is known from Microsoft's own clients,
// says so. [ContainerV1] is a container of schema version 1 and [Nspawn] the
// configuration of a tool that writes one.
//
// Every document keeps the fields that it has no name for in Unknown, and writes
// them back: a newer service or a newer client loses nothing by passing through.
// Documents hold no locks and nothing is checked here; the service is the judge.
//
// The package imports the standard library alone. All other packages may import it.
//
// See https://learn.microsoft.com/virtualization/api/hcs/schemareference.
package schema
