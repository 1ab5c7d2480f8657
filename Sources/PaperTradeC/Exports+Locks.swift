// The names are those of the C header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CPaperTrade
import PaperTrade

@_cdecl("pt_account_lock") @implementation
public func pt_account_lock(_ account: OpaquePointer!, _ timeout_ms: Int64, _ error: UnsafeMutablePointer<pt_error>!) -> pt_status
{
    perform(account, error) { (account) throws(PaperTradeError) in
        try account.lock(timeoutMilliseconds: timeout(timeout_ms))
    }
}

@_cdecl("pt_account_unlock") @implementation
public func pt_account_unlock(_ account: OpaquePointer!) -> pt_status {
    perform(account, nil) { (account) throws(PaperTradeError) in try account.unlock() }
}

@_cdecl("pt_lock_open") @implementation
public func pt_lock_open(
    _ path: UnsafePointer<CChar>!, _ lock: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    lock?.pointee = nil
    return perform(error) { () throws(PaperTradeError) in
        let lock = try nonNull(lock, "lock")
        lock.pointee = Handles.add(try Lock(PaperTradeC.path(path, "path")))
    }
}

@_cdecl("pt_lock_acquire") @implementation
public func pt_lock_acquire(_ lock: OpaquePointer!, _ timeout_ms: Int64, _ error: UnsafeMutablePointer<pt_error>!) -> pt_status {
    perform(error) { () throws(PaperTradeError) in
        try Handles.lock(lock).acquire(timeoutMilliseconds: lockTimeout(timeout_ms))
    }
}

@_cdecl("pt_lock_acquire_retrying") @implementation
public func pt_lock_acquire_retrying(
    _ lock: OpaquePointer!, _ timeout_ms: Int64, _ attempts: Int32, _ delay_ms: Int64, _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(error) { () throws(PaperTradeError) in
        try Handles.lock(lock).acquire(
            timeoutMilliseconds: lockTimeout(timeout_ms), attempts: attempts, delayMilliseconds: delay_ms)
    }
}

/// A lock of its own has no options, so no default but that of an account.
private func lockTimeout(_ milliseconds: Int64) throws(PaperTradeError) -> Int64 {
    try timeout(milliseconds) ?? Options().lockTimeoutMilliseconds
}

@_cdecl("pt_lock_release") @implementation
public func pt_lock_release(_ lock: OpaquePointer!) -> pt_status {
    perform(nil) { () throws(PaperTradeError) in
        guard try Handles.lock(lock).release() else { throw PaperTradeError(.misuse, "the lock is not held by this handle") }
    }
}

@_cdecl("pt_lock_is_held") @implementation
public func pt_lock_is_held(
    _ path: UnsafePointer<CChar>!, _ held: UnsafeMutablePointer<Int32>!, _ error: UnsafeMutablePointer<pt_error>!
) -> pt_status {
    perform(error) { () throws(PaperTradeError) in
        let held = try nonNull(held, "held")
        held.pointee = try Lock.isHeld(PaperTradeC.path(path, "path")) ? 1 : 0
    }
}

@_cdecl("pt_lock_close") @implementation
public func pt_lock_close(_ lock: OpaquePointer!) -> pt_status {
    guard let handle: OpaquePointer = lock else { return PT_OK }
    return perform(nil) { () throws(PaperTradeError) in
        let lock = try Handles.lock(handle)
        try Handles.remove(handle)
        lock.close()
    }
}
