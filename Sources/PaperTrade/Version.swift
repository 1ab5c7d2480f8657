/// The version of the library: major, minor, patch.
public let version = "0.1.0"
