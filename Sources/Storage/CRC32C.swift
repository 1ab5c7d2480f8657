import CSystem

/// CRC-32C (Castagnoli): polynomial 0x1EDC6F41 reflected, initial value and final complement as in RFC 3720, section B.4.
///
/// By the processor's instruction where there is one, of long texts three stretches at a time (Gopal et al., "Fast CRC Computation for iSCSI
/// Polynomial Using CRC32 Instruction", 2011), else eight bytes at a time by tables ("slicing-by-8", Kounavis and Berry 2005).
struct CRC32C: Sendable {
    private var register: UInt32 = 0xFFFF_FFFF

    /// The checksum of everything added.
    var value: UInt32 { ~register }

    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var crc = CRC32C()
        crc.add(bytes)
        return crc.value
    }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        guard Self.hasInstruction, let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            return addByTables(bytes)
        }
        var done = 0
        while bytes.count - done >= 3 * Self.stretch {
            var registers: (UInt32, UInt32, UInt32) = (register, 0, 0)
            withUnsafeMutableBytes(of: &registers) {
                pt_crc32c_of_three($0.assumingMemoryBound(to: UInt32.self).baseAddress, start + done, Int64(Self.stretch))
            }
            register = Self.pastStretch(Self.pastStretch(registers.0) ^ registers.1) ^ registers.2
            done += 3 * Self.stretch
        }
        register = pt_crc32c(register, start + done, Int64(bytes.count - done))
    }

    /// How many bytes each of three stretches has.
    private static let stretch = 512

    /// What becomes of a register over a stretch of zeros: so the register of what comes before can be added to that of a stretch.
    private static func pastStretch(_ register: UInt32) -> UInt32 {
        overZeros.withUnsafeBufferPointer { table in
            table[Int(register & 0xFF)] ^ table[256 + Int(register >> 8 & 0xFF)] ^ table[512 + Int(register >> 16 & 0xFF)]
                ^ table[768 + Int(register >> 24)]
        }
    }

    /// Table k holds what becomes of a register with one byte, the k-th.
    private static let overZeros: [UInt32] = {
        let zeros = [UInt8](repeating: 0, count: stretch)
        return (0..<1024).map { pt_crc32c(UInt32($0 & 0xFF) << (8 * ($0 >> 8)), zeros, Int64(stretch)) }
    }()

    /// Asked once: in a virtual machine the question is slow.
    private static let hasInstruction = pt_has_crc32c() != 0

    mutating func addByTables(_ bytes: UnsafeRawBufferPointer) {
        register = Self.tables.withUnsafeBufferPointer { table in
            var crc = register
            var index = 0
            while bytes.count - index >= 8 {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ UInt64(crc)
                crc =
                    table[7 * 256 + Int(word & 0xFF)] ^ table[6 * 256 + Int(word >> 8 & 0xFF)]
                    ^ table[5 * 256 + Int(word >> 16 & 0xFF)] ^ table[4 * 256 + Int(word >> 24 & 0xFF)]
                    ^ table[3 * 256 + Int(word >> 32 & 0xFF)] ^ table[2 * 256 + Int(word >> 40 & 0xFF)]
                    ^ table[1 * 256 + Int(word >> 48 & 0xFF)] ^ table[Int(word >> 56)]
                index += 8
            }
            while index < bytes.count {
                crc = table[Int((crc ^ UInt32(bytes[index])) & 0xFF)] ^ crc >> 8
                index += 1
            }
            return crc
        }
    }

    /// Table k holds the register after a byte followed by k zero bytes.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
            tables[byte] = crc
        }
        for index in 256..<tables.count {
            let previous = tables[index - 256]
            tables[index] = tables[Int(previous & 0xFF)] ^ previous >> 8
        }
        return tables
    }()
}

/// `value` as eight lower-case hexadecimal digits.
func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
}
