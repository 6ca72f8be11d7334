import Logging
import NIOCore

/// Writes one answer after the other; small ones are gathered, so that a burst of them is one write.
///
/// Use: `begin`, then `start` and `advance` for each answer while `hasRoom`, then `end`.
final class HTTP1Writer {
    private enum Body {
        case none
        /// The file is being opened; nothing has been written.
        case opening
        case bytes(ByteBuffer)
        case file(FileBody)
        /// The channel sends it by itself.
        case region
    }

    /// Told when the last part of an answer's file is next: the rest has left, and nobody has the file whole yet.
    var lastPartIsNext: () -> Void = {}

    let connection: Connection
    let loop: ServerLoop
    private var out = ByteBuffer()
    private var body = Body.none
    /// Between `begin` and `end`.
    private(set) var isOpen = false
    /// The answer under way, or the last one.
    private(set) var status = 499
    /// As the answer's `x-cache` says.
    private(set) var cache = ""
    private(set) var bodyBytes = 0
    /// True if the answer broke off after its head was sent: only closing tells the client.
    private(set) var hasFailed = false
    /// For the glances of this connection.
    var habit = HTTP1Habit()

    /// Smaller bodies are copied behind their heads; larger ones are written as they are.
    static let copyBytesMax = 16 << 10
    private static let writeBytesMax = 256 << 10
    static let gatherBytesMax = 64 << 10
    /// How much of a file is kept back until the answer was noted; fits into any socket's buffer.
    private static let lastPartBytes = 16 << 10
    /// Of a file, before others get their turn.
    private static let turnBytesMax = 2 << 20
    /// What waits for room in the channel; the rest follows when it has left.
    private static let regionBytesMax = 128 << 10

    init(_ connection: Connection) {
        self.connection = connection
        loop = connection.loop
    }

    var hasRoom: Bool { connection.isWritable }

    /// True if the answer under way could go on now, had the client taken more.
    var wantsRoom: Bool {
        switch body {
        case .bytes: true
        case .file(let file): file.chunk.readableBytes > 0 || !file.isReading
        case .none, .opening, .region: false
        }
    }

    /// Puts a small answer into the output, which leaves with the next `end`; nothing may be under way.
    ///
    /// - Returns: false if it has to wait for its turn.
    func writeWhole(_ answer: RenderedAnswer, for request: EdgeRequest) -> Bool {
        let (form, bytes) = answer.form(acceptsGzip: request.acceptsGzip)
        guard bytes.readableBytes <= Self.copyBytesMax else { return false }
        let hasBody = request.method != .head && form.bodyBytes > 0
        if isOpen || !connection.gather(form, hasBody ? bytes : nil, atMost: Self.gatherBytesMax) {
            guard out.readableBytes <= Self.gatherBytesMax, hasRoom else { return false }
            begin()
            writeHead(form, closes: false)
            if hasBody { out.writeImmutableBuffer(bytes) }
        }
        status = form.status
        cache = form.cache
        bodyBytes = hasBody ? form.bodyBytes : 0
        return true
    }

    func begin() {
        guard !isOpen else { return }
        out = loop.lendScratch()
        isOpen = true
    }

    /// Hands what was gathered to the socket.
    func end() {
        flushGathered()
        connection.flush()
        isOpen = false
        var lent = ByteBuffer()
        swap(&lent, &out)
        loop.giveBack(lent)
    }

    /// The connection is gone: whatever is still to come of a file is let go.
    func stop() { body = .none }

    // MARK: One answer

    /// - Parameters:
    ///   - request: nil if there was none that could be understood.
    ///   - resume: called, outside of `begin` … `end`, when an answer that waits for its file can go on.
    func start(
        _ answer: EdgeAnswer.Content, for request: EdgeRequest?, closes: Bool, resume: @escaping () -> Void
    ) {
        let isHead = request?.method == .head
        switch answer {
        case .rendered(let answer):
            let (form, bytes) = answer.form(acceptsGzip: request?.acceptsGzip ?? false)
            writeHead(form, closes: closes)
            body = isHead || form.bodyBytes == 0 ? .none : .bytes(bytes)
            bodyBytes = isHead ? 0 : form.bodyBytes
        case .file(let answer):
            if !isHead, !connection.isTLS, let (file, form) = loop.files.find(answer, loop.now) {
                send(file, form, closes: closes, resume)
            } else {
                open(answer, isHead: isHead, closes: closes, resume)
            }
        case .later: preconditionFailure("an answer that is waited for has no content yet")
        }
    }

    private func open(_ answer: FileAnswer, isHead: Bool, closes: Bool, _ resume: @escaping () -> Void) {
        let form = answer.form
        guard !isHead, form.bodyBytes > 0 else {
            writeHead(form, closes: closes)
            body = .none
            bodyBytes = 0
            return
        }
        body = .opening
        loop.open(answer) { file in
            if let file, !self.connection.isTLS { self.loop.files.keep(file, for: answer, form, self.loop.now) }
            self.opened(file, form, closes: closes, resume: resume)
        }
    }

    /// - Parameter resume: as for `start`.
    /// - Returns: true once the whole answer is written.
    func advance(then resume: @escaping () -> Void) -> Bool {
        switch body {
        case .none: return true
        case .opening, .region: return false
        case .bytes(let bytes): return advance(bytes)
        case .file(let file): return advance(file, resume)
        }
    }

    private func advance(_ bytes: ByteBuffer) -> Bool {
        var rest = bytes
        if rest.readableBytes <= Self.copyBytesMax {
            out.writeBuffer(&rest)
        } else {
            flushGathered()
            while hasRoom, let slice = rest.readSlice(length: min(rest.readableBytes, Self.writeBytesMax)),
                slice.readableBytes > 0
            {
                connection.write(slice)
            }
        }
        if out.readableBytes > Self.gatherBytesMax { flushGathered() }
        body = rest.readableBytes == 0 ? .none : .bytes(rest)
        return rest.readableBytes == 0
    }

    private func advance(_ file: FileBody, _ resume: @escaping () -> Void) -> Bool {
        if file.chunk.readableBytes > 0 {
            flushGathered()
            connection.write(file.take(file.chunk.readableBytes))
        }
        if file.isFinished {
            body = .none
            return true
        }
        if hasRoom {
            file.readAhead { result in
                if case .failure(let error) = result { self.fail(error) }
                resume()
            }
        }
        return false
    }

    private func opened(_ file: OpenFile?, _ form: Rendition, closes: Bool, resume: @escaping () -> Void) {
        guard case .opening = body else { return }
        begin()
        if let file, connection.isTLS {
            writeHead(form, closes: closes)
            bodyBytes = form.bodyBytes
            body = .file(FileBody(file, loop: loop))
        } else if let file {
            send(file, form, closes: closes, resume)
        } else {
            let (form, bytes) = Refusal.fileUnavailable.answer.form(acceptsGzip: false)
            writeHead(form, closes: closes)
            bodyBytes = form.bodyBytes
            body = .bytes(bytes)
        }
        end()
        resume()
    }

    // MARK: Files on plain connections

    /// The kernel takes the file's bytes from its page cache.
    private func send(_ file: OpenFile, _ form: Rendition, closes: Bool, _ resume: @escaping () -> Void) {
        writeHead(form, closes: closes)
        bodyBytes = form.bodyBytes
        body = .region
        sendGathered()
        if send(file, from: 0, resume) { body = .none }
    }

    /// As much as the socket has room for, past the channel (decision 0020). What finds no room goes through the channel, which
    /// knows when there is room again.
    ///
    /// - Returns: true if all has left; else `resume` is called later.
    private func send(_ file: OpenFile, from start: Int, _ resume: @escaping () -> Void) -> Bool {
        let cut = max(0, file.bytes - Self.lastPartBytes)
        let turnEnd = start + Self.turnBytesMax
        var place = start
        while place < file.bytes {
            if place == cut { lastPartIsNext() }
            let end = place < cut ? cut : file.bytes
            let part = place..<min(end, max(turnEnd, place))
            let sent = part.isEmpty ? 0 : connection.sendNow(file, part)
            place += sent
            guard sent < part.count || part.isEmpty else { continue }
            sendThroughChannel(file, place..<min(end, place + Self.regionBytesMax), resume)
            return false
        }
        return true
    }

    private func sendThroughChannel(_ file: OpenFile, _ range: Range<Int>, _ resume: @escaping () -> Void) {
        let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: file.descriptor)
        let region = FileRegion(fileHandle: handle, readerIndex: range.lowerBound, endIndex: range.upperBound)
        connection.write(region) { hasLeft in
            // The descriptor is `file`'s to close, which lives until here.
            withExtendedLifetime(file) { _ = try? handle.takeDescriptorOwnership() }
            guard case .region = self.body else { return }
            if !hasLeft { self.hasFailed = true }
            guard !hasLeft || self.send(file, from: range.upperBound, resume) else { return }
            self.body = .none
            resume()
        }
        connection.flush()
    }

    /// What was gathered goes before a file, in the same packet if it can.
    private func sendGathered() {
        let sent = out.withUnsafeReadableBytes { connection.sendNow($0, isPart: true) }
        out.moveReaderIndex(forwardBy: sent)
        flushGathered()
    }

    private func fail(_ error: any Error) {
        loop.shared.logger.error("a file broke off while it was sent", metadata: ["error": "\(error)"])
        hasFailed = true
        body = .none
    }

    private func writeHead(_ form: Rendition, closes: Bool) {
        status = form.status
        cache = form.cache
        out.writeBytes(form.http1)
        out.writeStaticString("date: ")
        out.writeBytes(loop.date.text)
        out.writeStaticString(closes ? "\r\nconnection: close\r\n\r\n" : "\r\n\r\n")
    }

    private func flushGathered() {
        guard out.readableBytes > 0 else { return }
        connection.write(out)
        out.clear()
    }
}
