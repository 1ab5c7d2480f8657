import PaperTrade
import Storage

/// Calls of the library that have no place in its Swift API yet.
enum Adapters {
    /// A config.json that says `rules`.
    static func configText(_ rules: Rules) -> [UInt8] { ConfigFile.text(rules) }

    /// - Throws: `invalidConfig` with file, line, key and what was expected.
    static func rules(inConfig path: String) throws(PaperTradeError) -> Rules {
        let text = try Files.contents(of: path, limit: ConfigFile.maximumByteCount)
        do throws(StorageError) {
            return try ConfigFile.rules(from: text, path: path)
        } catch {
            throw PaperTradeError(error)
        }
    }

    /// What an import came to, for people and for programs.
    struct Imported {
        let text: String
        let object: JSON
    }

    static func importing(_ oldPortfolio: String, into path: String, _ options: Options) throws(PaperTradeError) -> Imported {
        throw PaperTradeError(.misuse, "import is not connected yet")
    }
}
