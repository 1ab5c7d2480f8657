import Storage

// Types of the library's results that its Swift API does not name yet.
typealias VerifyReport = Storage.VerifyReport
typealias RecoverReport = Storage.RecoverReport
