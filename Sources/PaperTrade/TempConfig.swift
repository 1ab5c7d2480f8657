import Ledger
import Storage
enum ConfigFile { static func rules(from text: [UInt8], path: String) throws(StorageError) -> Rules { if text.isEmpty { throw StorageError(.io, "") }; return Rules() } }
