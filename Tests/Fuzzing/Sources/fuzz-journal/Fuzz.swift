@testable import FuzzTargets

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTarget.journal.runOrTrap(UnsafeBufferPointer(start: start, count: count))
}
