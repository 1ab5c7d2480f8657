import PaperTrade
import Testing

@Suite("Statuses")
struct StatusTests {
    @Test("every status of the header has the same number and name here, and the other way round")
    func names() throws {
        var header: [String: Int32] = [:]
        for line in TemporaryDirectory.header.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 3, words[0] == "#define", words[1].hasPrefix("PT_"), let number = Int32(words[2]),
                number == 0 || (100...599).contains(number), words[1] == "PT_OK" || number >= 100, !words[1].hasSuffix("_MAX")
            else { continue }
            if number == 0 && words[1] != "PT_OK" { continue }
            header[String(words[1])] = number
        }
        let here = Dictionary(uniqueKeysWithValues: Status.names.map { ("\($0.name)", $0.status.rawValue) })
        #expect(header == here)
        #expect(here.count > 45)
    }

    @Test("the version is that of the header")
    func versions() {
        let header = TemporaryDirectory.header
        let parts = version.split(separator: ".")
        for (name, value) in zip(["MAJOR", "MINOR", "PATCH"], parts) {
            #expect(header.contains("#define PT_VERSION_\(name) \(value)\n"))
        }
    }

    @Test("an unknown number has the name PT_UNKNOWN")
    func unknown() {
        #expect(Status(rawValue: 999).description == "PT_UNKNOWN")
        #expect(Status.busy.description == "PT_BUSY")
    }
}

extension TemporaryDirectory {
    /// The text of include/papertrade.h.
    static var header: String {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return read(absolute: "/" + root + "/include/papertrade.h")
    }
}
