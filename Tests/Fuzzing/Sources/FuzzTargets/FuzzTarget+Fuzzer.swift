@testable import Storage

extension FuzzTarget {
    /// For libFuzzer, which keeps the input that a process ended with. The account is used with one input of 128.
    func runOrTrap(_ bytes: UnsafeBufferPointer<UInt8>) -> CInt {
        do throws(Broken) {
            try run(Array(bytes), wholly: CRC32C.checksum(UnsafeRawBufferPointer(bytes)) % 128 == 0)
            return 0
        } catch {
            fatalError("\(rawValue): \(error)")
        }
    }
}
