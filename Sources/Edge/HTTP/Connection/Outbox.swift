import NIOCore

/// Small answers to plain connections, gathered until every connection that has something to read has been read.
///
/// They leave back to back, past the channel. Writing each at once wakes the client each time, which reads one answer and
/// sleeps again; that costs more than making the answer. One buffer for a whole event loop. Confined to it.
final class Outbox {
    private struct Parcel {
        let connection: Connection
        var end: Int
    }

    private let eventLoop: any EventLoop
    // Plain memory, which nobody else ever holds: a `ByteBuffer` would count its owners at each of five writes an answer.
    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: Outbox.bytesMax, alignment: 64)
    private var count = 0
    /// What of `memory` goes to whom, in order.
    private var parcels: [Parcel] = []
    private var isSending = false

    /// Fits into the cache of a core.
    private static let bytesMax = 256 << 10

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    deinit { memory.deallocate() }

    /// Takes an answer for a connection; the connection tells how many bytes of its own wait here.
    ///
    /// - Returns: how many bytes it has; 0 if it must go another way, because sending goes on or it is too large.
    func add(_ form: Rendition, _ body: ByteBuffer?, _ date: HTTPDate, to connection: Connection) -> Int {
        let size = form.http1.count + Self.dateBytes + (body?.readableBytes ?? 0)
        guard !isSending, size <= memory.count else { return 0 }
        // One parcel a connection: what its channel is given while it leaves can't come before another one.
        let isOvertaken = connection.gathered > 0 && parcels.last?.connection !== connection
        if isOvertaken || count + size > memory.count { send() }
        let start = count
        form.http1.withUnsafeBytes(append)
        Self.dateName.withUTF8Buffer { append(UnsafeRawBufferPointer($0)) }
        date.text.withUnsafeBytes(append)
        Self.headEnd.withUTF8Buffer { append(UnsafeRawBufferPointer($0)) }
        body?.withUnsafeReadableBytes(append)
        note(connection, from: start)
        return count - start
    }

    /// Hands everything to the kernel. Nothing can be added meanwhile.
    func send() {
        guard !isSending, !parcels.isEmpty else { return }
        isSending = true
        var start = 0
        for parcel in parcels {
            parcel.connection.leave(UnsafeRawBufferPointer(rebasing: memory[start..<parcel.end]))
            start = parcel.end
        }
        parcels.removeAll(keepingCapacity: true)
        count = 0
        isSending = false
    }

    /// - Parameter start: where its bytes begin.
    private func note(_ connection: Connection, from start: Int) {
        // It has the last parcel already.
        if connection.gathered > 0 {
            parcels[parcels.count - 1].end = count
            return
        }
        // Runs when the loop has read whatever was there to be read.
        if start == 0 { eventLoop.assumeIsolated().execute { self.send() } }
        parcels.append(Parcel(connection: connection, end: count))
    }

    private func append(_ bytes: UnsafeRawBufferPointer) {
        guard let from = bytes.baseAddress, let base = memory.baseAddress else { return }
        (base + count).copyMemory(from: from, byteCount: bytes.count)
        count += bytes.count
    }

    private static let dateName: StaticString = "date: "
    private static let headEnd: StaticString = "\r\n\r\n"
    private static let dateBytes = 6 + 29 + 4
}
