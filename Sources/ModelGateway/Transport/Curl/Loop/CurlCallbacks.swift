// The functions that libcurl calls, always on the thread of the loop that called it. They are at file scope because a
// closure formed in an isolated context would trap there.

internal import CCurl
import GatewaySystem

private func transfer(_ context: UnsafeMutableRawPointer?) -> CurlTransfer? {
    context.map { Unmanaged<CurlTransfer>.fromOpaque($0).takeUnretainedValue() }
}

private func loop(_ context: UnsafeMutableRawPointer?) -> CurlEventLoop? {
    context.map { Unmanaged<CurlEventLoop>.fromOpaque($0).takeUnretainedValue() }
}

/// `CURLMOPT_TIMERFUNCTION`
func curlSetsTimer(
    _ multi: UnsafeMutableRawPointer?,
    _ milliseconds: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    loop(context)?.curlTimerChanged(milliseconds: milliseconds)
    return 0
}

/// `CURLMOPT_SOCKETFUNCTION`
func curlWatchesSocket(
    _ easy: UnsafeMutableRawPointer?,
    _ socket: curl_socket_t,
    _ what: Int32,
    _ context: UnsafeMutableRawPointer?,
    _ socketContext: UnsafeMutableRawPointer?
) -> Int32 {
    guard let loop = loop(context) else { return 0 }
    if what == CURL_POLL_REMOVE {
        loop.poller.unwatch(socket)
        return 0
    }
    if let easy {
        var owner: UnsafeMutableRawPointer?
        ccurl_get_pointer(easy, CURLINFO_PRIVATE, &owner)
        transfer(owner)?.watched(socket, readable: what & CURL_POLL_IN != 0)
    }
    let isWatched = loop.poller.watch(
        socket,
        readable: what & CURL_POLL_IN != 0,
        writable: what & CURL_POLL_OUT != 0
    )
    return isWatched ? 0 : -1
}

/// `CURLOPT_OPENSOCKETFUNCTION`
func curlOpensSocket(
    _ context: UnsafeMutableRawPointer?,
    _ purpose: curlsocktype,
    _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let address, let transfer = transfer(context) else { return -1 }
    let room = transfer.loop.options.room
    guard room.take() else {
        transfer.lacksDescriptor = true
        return -1
    }
    do throws(SystemError) {
        let descriptor = try SystemSocket.open(
            family: address.pointee.family,
            type: address.pointee.socktype,
            protocol: address.pointee.protocol
        )
        transfer.opened(descriptor)
        return descriptor
    } catch {
        transfer.lacksDescriptor = error.isShortage
        room.give()
        return -1
    }
}

/// `CURLOPT_CLOSESOCKETFUNCTION`
func curlClosesSocket(_ context: UnsafeMutableRawPointer?, _ socket: curl_socket_t) -> Int32 {
    let loop = loop(context)
    loop?.poller.forget(socket)
    let result = SystemSocket.close(socket)
    loop?.options.room.give()
    return result
}

/// `CURLOPT_PREREQFUNCTION`: connected, TLS included; the request goes out next.
func curlIsConnected(
    _ context: UnsafeMutableRawPointer?,
    _ remote: UnsafeMutablePointer<CChar>?,
    _ local: UnsafeMutablePointer<CChar>?,
    _ remotePort: Int32,
    _ localPort: Int32
) -> Int32 {
    transfer(context)?.connected() == true ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

/// `CURLOPT_HEADERFUNCTION`
func curlReceivedHeaderLine(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
    return transfer(context)?.receivedHeaderLine(line) == true ? line.count : 0
}

/// `CURLOPT_WRITEFUNCTION`
func curlReceivedBody(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    let bytes = UnsafeRawBufferPointer(start: bytes, count: size * count)
    switch transfer(context)?.receivedBody(bytes) {
    case .taken: return bytes.count
    case .later: return ccurl_write_pause
    case .refused, nil: return 0
    }
}

/// `CURLOPT_READFUNCTION`
func curlWantsBody(
    _ target: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    transfer(context)?.readBody(into: UnsafeMutableRawBufferPointer(start: target, count: size * count))
        ?? ccurl_read_abort
}

/// `CURLOPT_SEEKFUNCTION`
func curlRewindsBody(_ context: UnsafeMutableRawPointer?, _ offset: curl_off_t, _ origin: Int32) -> Int32 {
    guard offset == 0, origin == ccurl_seek_to, transfer(context)?.upload?.rewind() == true else {
        return CURL_SEEKFUNC_CANTSEEK
    }
    return CURL_SEEKFUNC_OK
}
