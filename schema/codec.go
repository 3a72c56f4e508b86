package schema

// Every document with unknown members encodes and decodes itself by the same two
// functions. encoding/json finds them by these names alone.

func (d ComputeSystem) MarshalJSON() ([]byte, error)  { return marshal(d, d.Unknown) }
func (d *ComputeSystem) UnmarshalJSON(b []byte) error { return unmarshal(b, d, &d.Unknown) }

func (d Container) MarshalJSON() ([]byte, error)   { return marshal(d, d.Unknown) }
func (d *Container) UnmarshalJSON(b []byte) error  { return unmarshal(b, d, &d.Unknown) }
func (d GuestOs) MarshalJSON() ([]byte, error)     { return marshal(d, d.Unknown) }
func (d *GuestOs) UnmarshalJSON(b []byte) error    { return unmarshal(b, d, &d.Unknown) }
func (d Memory) MarshalJSON() ([]byte, error)      { return marshal(d, d.Unknown) }
func (d *Memory) UnmarshalJSON(b []byte) error     { return unmarshal(b, d, &d.Unknown) }
func (d Processor) MarshalJSON() ([]byte, error)   { return marshal(d, d.Unknown) }
func (d *Processor) UnmarshalJSON(b []byte) error  { return unmarshal(b, d, &d.Unknown) }
func (d Networking) MarshalJSON() ([]byte, error)  { return marshal(d, d.Unknown) }
func (d *Networking) UnmarshalJSON(b []byte) error { return unmarshal(b, d, &d.Unknown) }

func (d Storage) MarshalJSON() ([]byte, error)          { return marshal(d, d.Unknown) }
func (d *Storage) UnmarshalJSON(b []byte) error         { return unmarshal(b, d, &d.Unknown) }
func (d Layer) MarshalJSON() ([]byte, error)            { return marshal(d, d.Unknown) }
func (d *Layer) UnmarshalJSON(b []byte) error           { return unmarshal(b, d, &d.Unknown) }
func (d StorageQoS) MarshalJSON() ([]byte, error)       { return marshal(d, d.Unknown) }
func (d *StorageQoS) UnmarshalJSON(b []byte) error      { return unmarshal(b, d, &d.Unknown) }
func (d MappedDirectory) MarshalJSON() ([]byte, error)  { return marshal(d, d.Unknown) }
func (d *MappedDirectory) UnmarshalJSON(b []byte) error { return unmarshal(b, d, &d.Unknown) }
func (d MappedPipe) MarshalJSON() ([]byte, error)       { return marshal(d, d.Unknown) }
func (d *MappedPipe) UnmarshalJSON(b []byte) error      { return unmarshal(b, d, &d.Unknown) }

func (d Device) MarshalJSON() ([]byte, error)                     { return marshal(d, d.Unknown) }
func (d *Device) UnmarshalJSON(b []byte) error                    { return unmarshal(b, d, &d.Unknown) }
func (d DeviceNamespaceDefinition) MarshalJSON() ([]byte, error)  { return marshal(d, d.Unknown) }
func (d *DeviceNamespaceDefinition) UnmarshalJSON(b []byte) error { return unmarshal(b, d, &d.Unknown) }

func (d RegistryChanges) MarshalJSON() ([]byte, error)     { return marshal(d, d.Unknown) }
func (d *RegistryChanges) UnmarshalJSON(b []byte) error    { return unmarshal(b, d, &d.Unknown) }
func (d RegistryKey) MarshalJSON() ([]byte, error)         { return marshal(d, d.Unknown) }
func (d *RegistryKey) UnmarshalJSON(b []byte) error        { return unmarshal(b, d, &d.Unknown) }
func (d RegistryValue) MarshalJSON() ([]byte, error)       { return marshal(d, d.Unknown) }
func (d *RegistryValue) UnmarshalJSON(b []byte) error      { return unmarshal(b, d, &d.Unknown) }
func (d RegistryFlushState) MarshalJSON() ([]byte, error)  { return marshal(d, d.Unknown) }
func (d *RegistryFlushState) UnmarshalJSON(b []byte) error { return unmarshal(b, d, &d.Unknown) }

func (d ContainerCredentialGuardState) MarshalJSON() ([]byte, error) { return marshal(d, d.Unknown) }
func (d *ContainerCredentialGuardState) UnmarshalJSON(b []byte) error {
	return unmarshal(b, d, &d.Unknown)
}
func (d ContainerCredentialGuardOperationRequest) MarshalJSON() ([]byte, error) {
	return marshal(d, d.Unknown)
}
func (d *ContainerCredentialGuardOperationRequest) UnmarshalJSON(b []byte) error {
	return unmarshal(b, d, &d.Unknown)
}
func (d ContainerCredentialGuardInstanceRequest) MarshalJSON() ([]byte, error) {
	return marshal(d, d.Unknown)
}
func (d *ContainerCredentialGuardInstanceRequest) UnmarshalJSON(b []byte) error {
	return unmarshal(b, d, &d.Unknown)
}
func (d ContainerCredentialGuardSystemInfo) MarshalJSON() ([]byte, error) {
	return marshal(d, d.Unknown)
}
func (d *ContainerCredentialGuardSystemInfo) UnmarshalJSON(b []byte) error {
	return unmarshal(b, d, &d.Unknown)
}
func (d ContainerCredentialGuardInstance) MarshalJSON() ([]byte, error) { return marshal(d, d.Unknown) }
func (d *ContainerCredentialGuardInstance) UnmarshalJSON(b []byte) error {
	return unmarshal(b, d, &d.Unknown)
}

func (d ProcessParameters) MarshalJSON() ([]byte, error)     { return marshal(d, d.Unknown) }
func (d *ProcessParameters) UnmarshalJSON(b []byte) error    { return unmarshal(b, d, &d.Unknown) }
func (d ProcessStatus) MarshalJSON() ([]byte, error)         { return marshal(d, d.Unknown) }
func (d *ProcessStatus) UnmarshalJSON(b []byte) error        { return unmarshal(b, d, &d.Unknown) }
func (d ProcessModifyRequest) MarshalJSON() ([]byte, error)  { return marshal(d, d.Unknown) }
func (d *ProcessModifyRequest) UnmarshalJSON(b []byte) error { return unmarshal(b, d, &d.Unknown) }
func (d SignalProcessOptions) MarshalJSON() ([]byte, error)  { return marshal(d, d.Unknown) }
func (d *SignalProcessOptions) UnmarshalJSON(b []byte) error { return unmarshal(b, d, &d.Unknown) }

func (d PropertyQuery) MarshalJSON() ([]byte, error)  { return marshal(d, d.Unknown) }
func (d *PropertyQuery) UnmarshalJSON(b []byte) error { return unmarshal(b, d, &d.Unknown) }
func (d SystemQuery) MarshalJSON() ([]byte, error)    { return marshal(d, d.Unknown) }
func (d *SystemQuery) UnmarshalJSON(b []byte) error   { return unmarshal(b, d, &d.Unknown) }

func (d Properties) MarshalJSON() ([]byte, error)      { return marshal(d, d.Unknown) }
func (d *Properties) UnmarshalJSON(b []byte) error     { return unmarshal(b, d, &d.Unknown) }
func (d Statistics) MarshalJSON() ([]byte, error)      { return marshal(d, d.Unknown) }
func (d *Statistics) UnmarshalJSON(b []byte) error     { return unmarshal(b, d, &d.Unknown) }
func (d ProcessorStats) MarshalJSON() ([]byte, error)  { return marshal(d, d.Unknown) }
func (d *ProcessorStats) UnmarshalJSON(b []byte) error { return unmarshal(b, d, &d.Unknown) }
func (d MemoryStats) MarshalJSON() ([]byte, error)     { return marshal(d, d.Unknown) }
func (d *MemoryStats) UnmarshalJSON(b []byte) error    { return unmarshal(b, d, &d.Unknown) }
func (d StorageStats) MarshalJSON() ([]byte, error)    { return marshal(d, d.Unknown) }
func (d *StorageStats) UnmarshalJSON(b []byte) error   { return unmarshal(b, d, &d.Unknown) }
func (d ProcessDetails) MarshalJSON() ([]byte, error)  { return marshal(d, d.Unknown) }
func (d *ProcessDetails) UnmarshalJSON(b []byte) error { return unmarshal(b, d, &d.Unknown) }

func (d ModifySettingRequest) MarshalJSON() ([]byte, error)  { return marshal(d, d.Unknown) }
func (d *ModifySettingRequest) UnmarshalJSON(b []byte) error { return unmarshal(b, d, &d.Unknown) }
func (d ModificationRequest) MarshalJSON() ([]byte, error)   { return marshal(d, d.Unknown) }
func (d *ModificationRequest) UnmarshalJSON(b []byte) error  { return unmarshal(b, d, &d.Unknown) }
func (d ServiceProperties) MarshalJSON() ([]byte, error)     { return marshal(d, d.Unknown) }
func (d *ServiceProperties) UnmarshalJSON(b []byte) error    { return unmarshal(b, d, &d.Unknown) }
func (d BasicInformation) MarshalJSON() ([]byte, error)      { return marshal(d, d.Unknown) }
func (d *BasicInformation) UnmarshalJSON(b []byte) error     { return unmarshal(b, d, &d.Unknown) }

func (d ResultError) MarshalJSON() ([]byte, error)       { return marshal(d, d.Unknown) }
func (d *ResultError) UnmarshalJSON(b []byte) error      { return unmarshal(b, d, &d.Unknown) }
func (d ErrorEvent) MarshalJSON() ([]byte, error)        { return marshal(d, d.Unknown) }
func (d *ErrorEvent) UnmarshalJSON(b []byte) error       { return unmarshal(b, d, &d.Unknown) }
func (d SystemExitStatus) MarshalJSON() ([]byte, error)  { return marshal(d, d.Unknown) }
func (d *SystemExitStatus) UnmarshalJSON(b []byte) error { return unmarshal(b, d, &d.Unknown) }

func (d ContainerV1) MarshalJSON() ([]byte, error)        { return marshal(d, d.Unknown) }
func (d *ContainerV1) UnmarshalJSON(b []byte) error       { return unmarshal(b, d, &d.Unknown) }
func (d MappedDirectoryV1) MarshalJSON() ([]byte, error)  { return marshal(d, d.Unknown) }
func (d *MappedDirectoryV1) UnmarshalJSON(b []byte) error { return unmarshal(b, d, &d.Unknown) }
