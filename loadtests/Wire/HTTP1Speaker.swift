import NIOCore

/// HTTP/1.1 with keep-alive, one request at a time; may ask for the upgrade to HTTP/2 with each of them.
final class HTTP1Speaker: WireSpeaker {
    private unowned let connection: WireConnection
    private let asksForUpgrade: Bool
    private var reader = HTTP1AnswerReader()
    private var input = ByteBuffer()
    private var inFlight: InFlight?
    /// Answers that came whole: a connection that has served can be closed by the server while we send the next request.
    private var served = 0
    private var isUsable = true
    private var isReading = false

    private struct InFlight {
        let tag: Int
        let isHead: Bool
        var hasBytes = false
        var bodyBytes = 0
    }

    init(_ connection: WireConnection, asksForUpgrade: Bool) {
        self.connection = connection
        self.asksForUpgrade = asksForUpgrade
    }

    var room: Int { inFlight == nil && isUsable ? 1 : 0 }

    func send(_ parcel: WireParcel, tag: Int) {
        precondition(inFlight == nil, "HTTP/1.1 takes one request at a time")
        inFlight = InFlight(tag: tag, isHead: parcel.isHead)
        connection.write(asksForUpgrade ? parcel.upgrade : parcel.http1)
    }

    func flush() { connection.flush() }

    func cancel(_ tag: Int) {
        guard inFlight?.tag == tag else { return }
        inFlight = nil
        isUsable = false
        connection.close(nil)
    }

    func received(_ bytes: inout ByteBuffer) {
        if input.readableBytes == 0 { swap(&input, &bytes) } else { input.writeBuffer(&bytes) }
        // Answers are passed on from here only, even if a listener sends the next request meanwhile.
        guard !isReading else { return }
        isReading = true
        defer { isReading = false }
        do throws(HTTP1AnswerReader.Garbled) {
            while try step() {}
        } catch {
            isUsable = false
            connection.close(.garbled(error.text))
        }
    }

    /// - Returns: false when more bytes are needed.
    private func step() throws(HTTP1AnswerReader.Garbled) -> Bool {
        guard let now = inFlight else {
            // Bytes that nobody asked for: a 408 before the close, or nonsense.
            if input.readableBytes > 0, isUsable {
                isUsable = false
                connection.close(nil)
            }
            return false
        }
        if input.readableBytes > 0, !now.hasBytes { inFlight?.hasBytes = true }
        let listener = connection.listener
        let step = try reader.next(&input, isHead: now.isHead) { status in
            listener?.answerBegan(now.tag, status: status)
        } field: { name, value in
            if inFlight == nil { return }
            listener?.answerField(now.tag, name: name, value: value)
        }
        switch step {
        case .needsMore: return false
        case .head(let status): return began(now, status: status)
        case .bytes(let count):
            inFlight?.bodyBytes += count
            guard now.bodyBytes + count <= HTTP1AnswerReader.bodyBytesMax else { throw .init("the body is too large") }
            input.withUnsafeReadableBytes { bytes in
                listener?.answerBytes(now.tag, UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            }
            input.moveReaderIndex(forwardBy: count)
            return inFlight != nil
        case .end(let keepsAlive):
            answerEnded(now, keepsAlive: keepsAlive)
            return true
        }
    }

    private func began(_ now: InFlight, status: Int) -> Bool {
        if status == 101 {
            guard asksForUpgrade else {
                connection.close(.garbled("an upgrade that nobody asked for"))
                return false
            }
            inFlight = nil
            isUsable = false
            connection.upgraded(tag: now.tag, isHead: now.isHead, rest: input)
            return false
        }
        if status >= 200 { connection.settle() }
        return inFlight != nil
    }

    private func answerEnded(_ now: InFlight, keepsAlive: Bool) {
        inFlight = nil
        served += 1
        isUsable = isUsable && keepsAlive
        connection.listener?.answerEnded(now.tag)
        // Last: closing lets go of the listener.
        if !isUsable { connection.close(nil) }
    }

    func inputEnded() {
        if let now = inFlight, reader.endsWithConnection { answerEnded(now, keepsAlive: false) }
        connection.close(inFlight == nil ? nil : .closed)
    }

    func ended(_ failure: WireFailure) {
        isUsable = false
        guard let now = inFlight else { return }
        inFlight = nil
        connection.listener?.failed(now.tag, failure, isUntouched: served > 0 && !now.hasBytes)
    }
}
