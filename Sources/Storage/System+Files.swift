extension System {
    /// Fills `buffer` from `offset` on; stops early only at the end of the file.
    func readFully(_ file: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) -> Result<Int, Errno> {
        var done = 0
        while done < buffer.count {
            do throws(Errno) {
                let count = try read(
                    file, into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]), at: offset + Int64(done))
                if count == 0 { break }
                done += count
            } catch {
                return .failure(error)
            }
        }
        return .success(done)
    }

    /// Writes all of `bytes`, or throws; then any part may have been written.
    ///
    /// - Parameter limit: ``fileSizeLimit()``.
    func writeFully(
        _ bytes: UnsafeRawBufferPointer, to file: FileDescriptor, at offset: Int64, limit: Int64
    ) throws(Errno) {
        let (end, isTooLarge) = offset.addingReportingOverflow(Int64(bytes.count))
        guard !isTooLarge, end <= limit else { throw .tooLarge }
        var done = 0
        while done < bytes.count {
            let count = try write(UnsafeRawBufferPointer(rebasing: bytes[done...]), to: file, at: offset + Int64(done))
            // A regular file that accepts nothing without an error will not accept more.
            if count == 0 { throw .inputOutput }
            done += count
        }
    }

    func writeFully(_ bytes: [UInt8], to file: FileDescriptor, at offset: Int64, limit: Int64) throws(Errno) {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(Errno) in try writeFully(bytes, to: file, at: offset, limit: limit) }
        }
        try result.get()
    }

    /// The whole of a file of the system, wherever links lead; EFBIG if it has more than `limit` bytes.
    public func contents(path: String, limit: Int) throws(Errno) -> [UInt8] {
        let file = try open(path: path)
        defer { try? close(file) }
        // One byte more, which shows that there is more.
        var result: Result<Int, Errno> = .success(0)
        let bytes = [UInt8](unsafeUninitializedCapacity: limit + 1) { buffer, initializedCount in
            result = readFully(file, into: UnsafeMutableRawBufferPointer(buffer), at: 0)
            initializedCount = (try? result.get()) ?? 0
        }
        guard try result.get() <= limit else { throw .tooLarge }
        return bytes
    }
}
