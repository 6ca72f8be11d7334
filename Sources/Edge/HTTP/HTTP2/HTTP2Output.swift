import NIOCore

/// Frames on their way to the client: gathered in the loop's scratch memory, handed to the channel in large writes.
///
/// A class, because a flush can close the channel, and then its end comes back here before the flush is over.
final class HTTP2Output {
    private let connection: Connection
    private let loop: ServerLoop
    private var out = ByteBuffer()
    private var isLent = false
    private var hasSettings = false
    private var fields = HTTP2FieldWriter()
    /// What the client may still send of bodies, which nobody reads.
    private var intakeWindow = HTTP2.windowStart

    private static let writeBytesMax = 128 << 10

    init(_ connection: Connection) {
        self.connection = connection
        loop = connection.loop
    }

    // MARK: Answers

    /// Writes an answer whole.
    func answer(_ stream: Int32, _ form: Rendition, _ body: ByteBuffer?, tableBytes: Int) {
        if let body, body.readableBytes <= HTTP2.frameBytesMax {
            return small(stream, form, body, tableBytes: tableBytes)
        }
        head(stream, form, isEnd: body == nil, tableBytes: tableBytes)
        guard var rest = body else { return }
        while rest.readableBytes > HTTP2.frameBytesMax, let part = rest.readSlice(length: HTTP2.frameBytesMax) {
            data(stream, part, isEnd: false)
        }
        data(stream, rest, isEnd: true)
    }

    /// Both frames of an answer at one go.
    private func small(_ stream: Int32, _ form: Rendition, _ body: ByteBuffer, tableBytes: Int) {
        borrow()
        let date = loop.date
        let need = Self.headBytesMax(form) + HTTP2FrameHead.bytes + body.readableBytes
        out.writeWithUnsafeMutableBytes(minimumWritableBytes: need) { space in
            guard let base = space.baseAddress else { return 0 }
            let head = Self.writeHead(stream, form, isEnd: false, date, tableBytes, &fields, to: base)
            return head + Self.writeData(stream, body, isEnd: true, to: base + head)
        }
        if out.readableBytes >= Self.writeBytesMax { writeOut() }
    }

    func head(_ stream: Int32, _ form: Rendition, isEnd: Bool, tableBytes: Int) {
        borrow()
        let date = loop.date
        out.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.headBytesMax(form)) { space in
            guard let base = space.baseAddress else { return 0 }
            return Self.writeHead(stream, form, isEnd: isEnd, date, tableBytes, &fields, to: base)
        }
    }

    private static func headBytesMax(_ form: Rendition) -> Int {
        HTTP2FrameHead.bytes + HTTP2FieldWriter.bytesMax(form.http2)
    }

    /// - Parameter base: room for `headBytesMax`.
    private static func writeHead(
        _ stream: Int32, _ form: Rendition, isEnd: Bool, _ date: HTTPDate, _ tableBytes: Int,
        _ fields: inout HTTP2FieldWriter, to base: UnsafeMutableRawPointer
    ) -> Int {
        let count = fields.write(form.http2, date: date, limit: tableBytes, to: base + HTTP2FrameHead.bytes)
        HTTP2FrameHead.write(
            to: base, length: count, type: HTTP2.headers,
            flags: HTTP2.endHeaders | (isEnd ? HTTP2.endStream : 0), stream: stream)
        return HTTP2FrameHead.bytes + count
    }

    private static func writeData(
        _ stream: Int32, _ part: ByteBuffer, isEnd: Bool, to base: UnsafeMutableRawPointer
    ) -> Int {
        let count = part.readableBytes
        HTTP2FrameHead.write(
            to: base, length: count, type: HTTP2.data, flags: isEnd ? HTTP2.endStream : 0, stream: stream)
        part.withUnsafeReadableBytes { bytes in
            if let bytes = bytes.baseAddress {
                (base + HTTP2FrameHead.bytes).copyMemory(from: bytes, byteCount: count)
            }
        }
        return HTTP2FrameHead.bytes + count
    }

    /// - Parameter part: at most `HTTP2.frameBytesMax` bytes.
    func data(_ stream: Int32, _ part: ByteBuffer, isEnd: Bool) {
        borrow()
        out.writeWithUnsafeMutableBytes(minimumWritableBytes: HTTP2FrameHead.bytes + part.readableBytes) { space in
            space.baseAddress.map { Self.writeData(stream, part, isEnd: isEnd, to: $0) } ?? 0
        }
        if out.readableBytes >= Self.writeBytesMax { writeOut() }
    }

    // MARK: Other frames

    func write(
        _ type: UInt8, flags: UInt8 = 0, stream: Int32,
        _ payload: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) {
        borrow()
        out.writeWithUnsafeMutableBytes(minimumWritableBytes: HTTP2FrameHead.bytes) { space in
            guard let base = space.baseAddress else { return 0 }
            HTTP2FrameHead.write(to: base, length: payload.count, type: type, flags: flags, stream: stream)
            return HTTP2FrameHead.bytes
        }
        out.writeBytes(payload)
    }

    private func write(_ type: UInt8, stream: Int32, numbers: [UInt32]) {
        numbers.map(\.bigEndian).withUnsafeBytes { write(type, stream: stream, $0) }
    }

    func reset(_ stream: Int32, _ code: HTTP2Code) {
        write(HTTP2.reset, stream: stream, numbers: [code.rawValue])
    }

    func goaway(last: Int32, _ code: HTTP2Code) {
        write(HTTP2.goaway, stream: 0, numbers: [UInt32(last), code.rawValue])
    }

    func writeSettingsOnce() {
        guard !hasSettings else { return }
        hasSettings = true
        let entries: [(UInt16, Int)] = [
            (3, loop.shared.configuration.streamsMax),
            (6, HeadLimits.fieldBytesMax + HeadLimits.requestLineBytesMax),
        ]
        let payload = entries.flatMap { name, value in
            [UInt8(name >> 8), UInt8(name & 0xFF)]
                + (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
        }
        payload.withUnsafeBytes { write(HTTP2.settings, stream: 0, $0) }
    }

    /// Bodies are refused, but what of them is on its way counts.
    func account(forBody count: Int) throws(HTTP2Code) {
        intakeWindow -= count
        guard intakeWindow >= 0 else { throw .flowControl }
        guard intakeWindow < HTTP2.windowStart / 2 else { return }
        write(HTTP2.windowUpdate, stream: 0, numbers: [UInt32(HTTP2.windowStart - intakeWindow)])
        intakeWindow = HTTP2.windowStart
    }

    // MARK: The channel

    func flush() {
        writeOut()
        connection.flush()
    }

    /// Gives the memory back until there is something to write again.
    func rest() {
        guard isLent else { return }
        isLent = false
        var lent = ByteBuffer()
        swap(&lent, &out)
        loop.giveBack(lent)
    }

    private func borrow() {
        guard !isLent else { return }
        isLent = true
        out = loop.lendScratch()
    }

    private func writeOut() {
        guard out.readableBytes > 0 else { return }
        connection.write(out)
        out.clear()
    }
}
