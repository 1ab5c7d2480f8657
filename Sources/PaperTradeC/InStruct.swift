import CPaperTrade
import PaperTrade

/// A struct that the caller fills in. It grows at its end; `struct_size`, its first member, says how much of it the caller's header has.
protocol InStruct {
    /// What it is called in messages.
    static var name: String { get }
    /// The size in the first version of the header that had it, on 64-bit systems. Never changes: a smaller one is of no version.
    static var firstSize: UInt32 { get }
    /// What its _INIT macro says: the values of members that the caller's header does not have.
    static var initial: Self { get }
}

/// What the caller gave. Nothing beyond `struct_size` is read before that has been checked.
func given<Value: InStruct>(_ pointer: UnsafePointer<Value>) throws(PaperTradeError) -> Value {
    let start = UnsafeRawPointer(pointer)
    let size = start.loadUnaligned(as: UInt32.self)
    guard size >= Value.firstSize, size <= 4096 else {
        throw invalidArgument(
            "\(Value.name)->struct_size is \(size), not \(MemoryLayout<Value>.size): initialise the struct with its _INIT macro")
    }
    let bytes = UnsafeRawBufferPointer(start: start, count: Int(size))
    // A larger one comes from a program that knows more members; this library cannot do what they ask for.
    guard bytes.dropFirst(MemoryLayout<Value>.size).allSatisfy({ $0 == 0 }) else {
        throw invalidArgument("\(Value.name) uses members that this version of the library, \(version), does not know")
    }
    var value = Value.initial
    withUnsafeMutableBytes(of: &value) { $0.copyBytes(from: bytes.prefix($0.count)) }
    return value
}

extension pt_options: InStruct {
    static var name: String { "options" }
    static var firstSize: UInt32 { 72 }
    static var initial: pt_options {
        var options = pt_options()
        options.initial_cash = .nan
        options.lock_timeout_ms = Int64(PT_WAIT_DEFAULT)
        options.durability = PT_DURABILITY_FULL
        return options
    }
}

extension pt_request: InStruct {
    static var name: String { "request" }
    static var firstSize: UInt32 { 40 }
    static var initial: pt_request {
        var request = pt_request()
        request.time = timeNow
        return request
    }
}

extension pt_order: InStruct {
    static var name: String { "order" }
    static var firstSize: UInt32 { 40 }
    static var initial: pt_order { pt_order() }
}

extension pt_opportunity: InStruct {
    static var name: String { "opportunity" }
    static var firstSize: UInt32 { 48 }
    static var initial: pt_opportunity {
        var opportunity = pt_opportunity()
        opportunity.price = .nan
        return opportunity
    }
}

extension pt_cycle_options: InStruct {
    static var name: String { "options" }
    static var firstSize: UInt32 { 16 }
    static var initial: pt_cycle_options {
        var options = pt_cycle_options()
        options.time = timeNow
        return options
    }
}
