import Logging
import NIOCore

/// HTTP/2: reads frames, asks the handler, writes frames.
///
/// A request whose answer is at hand and fits never becomes a stream: its frames go into the output while the burst is still
/// being read. `receivedAll` writes, so that all answers of a burst leave in one write. Everything else waits as an `HTTP2Stream`.
/// Source: RFC 9113; why it is ours: docs/decisions/0011-http2-of-our-own.md.
final class HTTP2Connection: ConnectionEngine {
    let connection: Connection
    let loop: ServerLoop
    var streams: [Int32: HTTP2Stream] = [:]
    /// Streams with something to send, the next one first.
    var line = CircularBuffer<HTTP2Stream>(initialCapacity: 4)
    var lastActive = NIODeadline.now()
    var draining = Draining.no
    var memo: EdgeMemo?
    private(set) var isOver = false
    /// What the client lets us send of all bodies together.
    var window = HTTP2.windowStart
    var settings = HTTP2Settings()
    let output: HTTP2Output
    /// After 101 and before the client's first frame: what may still be sent of the answer.
    var upgradeBytesLeft: Int?

    private var intake = HTTP2Intake()
    private var heads: HTTP2HeadReader
    private let decoder = HTTP2HeaderDecoder()
    private var resets: FloodGauge
    private var controls: FloodGauge
    /// The highest stream that the client has opened.
    private(set) var lastStream: Int32 = 0
    private var clientLeaves = false
    private var isSending = false
    /// The request that came with the upgrade, until it is asked.
    private var first: RequestAccount?

    enum Draining {
        case no
        /// The client has been told to open no more streams; those on their way are still taken.
        case noticed(since: NIODeadline)
        /// The last stream that will be answered has been named.
        case said
    }

    /// libcurl fails if more comes along with 101 than fits into the buffer that it read the head into.
    private static let upgradeBytesMax = 8 << 10

    init(_ connection: Connection) {
        self.connection = connection
        loop = connection.loop
        let limits = loop.shared.configuration
        output = HTTP2Output(connection)
        heads = HTTP2HeadReader(clientField: loop.shared.clientField)
        resets = FloodGauge(most: limits.resetsMax, perSecond: limits.resetsPerSecond)
        controls = FloodGauge(most: limits.controlFramesMax, perSecond: limits.controlFramesPerSecond)
    }

    /// Takes over a plain connection whose client asked for `Upgrade: h2c`; `request` becomes stream 1.
    ///
    /// - Returns: nil if `settings` can't be read; the request is then answered without the upgrade.
    convenience init?(_ connection: Connection, upgrading request: EdgeRequest, settings: ByteBuffer) {
        guard let payload = UpgradeSettings.decode(settings) else { return nil }
        self.init(connection)
        guard (try? payload.withUnsafeBytes { try self.settings.apply($0) }) != nil else { return nil }
        lastStream = 1
        loop.figures.requestsHTTP2.add()
        first = RequestAccount(request, arrived: .now())
    }

    /// The first bytes after an upgrade: 101, our settings, and the answer if it is there.
    func begin(rest: ByteBuffer) {
        connection.write(
            ByteBuffer(string: "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: h2c\r\n\r\n"))
        upgradeBytesLeft = Self.upgradeBytesMax
        output.writeSettingsOnce()
        if let first { ask(1, first, isOpenForClient: false) }
        first = nil
        if rest.readableBytes > 0 { received(rest) }
        send()
    }

    // MARK: Reading

    func received(_ bytes: ByteBuffer) {
        guard !isOver else { return }
        upgradeBytesLeft = nil
        output.writeSettingsOnce()
        let all = intake.append(bytes)
        do throws(HTTP2Code) {
            intake.keep(all, from: try all.withUnsafeReadableBytes { all throws(HTTP2Code) in try takeFrames(all) })
        } catch {
            breakOff(error)
        }
    }

    private func takeFrames(_ all: UnsafeRawBufferPointer) throws(HTTP2Code) -> Int {
        var place = try intake.readPreface(all)
        while !isOver, let frame = try intake.next(all, at: place) {
            place = frame.end
            try take(frame.head, frame.payload)
        }
        return place
    }

    func receivedAll() { send() }

    private func take(_ head: HTTP2FrameHead, _ payload: UnsafeRawBufferPointer) throws(HTTP2Code) {
        switch head.type {
        case HTTP2.headers:
            guard let block = try intake.fields(head, payload) else { return }
            try headCame(head.stream, isEnd: head.has(HTTP2.endStream), block)
        case HTTP2.continuation:
            guard let block = try intake.goOn(head, payload) else { return }
            try block.bytes.withUnsafeReadableBytes { bytes throws(HTTP2Code) in
                try headCame(block.stream, isEnd: block.isEnd, bytes)
            }
        case HTTP2.data: try dataCame(head, payload)
        case HTTP2.settings: try settingsCame(head, payload)
        case HTTP2.windowUpdate: try roomCame(head, payload)
        case HTTP2.reset: try resetCame(head, payload)
        case HTTP2.ping: try pingCame(head, payload)
        case HTTP2.goaway:
            guard head.stream == 0, payload.count >= 8 else { throw .protocolError }
            clientLeaves = true
        case HTTP2.pushPromise: throw .protocolError
        case HTTP2.priority:
            guard head.stream != 0 else { throw .protocolError }
            try spend(&controls)
        default: try spend(&controls)
        }
    }

    // MARK: Requests

    private func headCame(_ id: Int32, isEnd: Bool, _ block: UnsafeRawBufferPointer) throws(HTTP2Code) {
        try decoder.read(block, into: &heads)
        guard id > lastStream else { return try trailersCame(id, isEnd: isEnd) }
        lastStream = id
        let head = heads.end()
        loop.figures.requestsHTTP2.add()
        lastActive = intake.arrived
        // What announces a body and ends without it is no request either.
        guard !head.isMalformed, !isEnd || head.refusal != .body else { return try reset(id, .protocolError) }
        if case .said = draining { return try reset(id, .refusedStream) }
        guard streams.count < loop.shared.configuration.streamsMax else { return try reset(id, .refusedStream) }
        let request = heads.request(head, id: loop.requestNumber(), from: connection.peer)
        let account = RequestAccount(request, arrived: lastActive)
        if let refusal = head.refusal {
            refuse(id, account, refusal, isOpenForClient: !isEnd)
        } else if connection.isOneTooMany {
            refuse(id, account, .tooManyConnections, isOpenForClient: !isEnd)
            sayGoodbye()
        } else if isEnd {
            ask(id, account, isOpenForClient: false)
        } else {
            let stream = HTTP2Stream(id, account, isWhole: false, window: settings.window)
            stream.announcesNoBody = head.hasContentLength
            streams[id] = stream
        }
    }

    /// Fields behind a body, or for a stream that is over; nobody needs what they say.
    private func trailersCame(_ id: Int32, isEnd: Bool) throws(HTTP2Code) {
        guard let stream = streams[id] else { return try spend(&controls) }
        guard isEnd else { throw .protocolError }
        inputEnded(stream)
    }

    private func dataCame(_ head: HTTP2FrameHead, _ payload: UnsafeRawBufferPointer) throws(HTTP2Code) {
        guard head.stream != 0, head.stream <= lastStream else { throw .protocolError }
        try output.account(forBody: head.length)
        let body = try HTTP2Intake.unpadded(head, payload)
        guard let stream = streams[head.stream] else { return try spend(&controls) }
        if !body.isEmpty, case .awaitsEnd = stream.phase {
            if stream.announcesNoBody {
                end(stream)
                return try reset(head.stream, .protocolError)
            }
            refuse(stream, .body)
        }
        if head.has(HTTP2.endStream) { inputEnded(stream) } else { try spend(&controls) }
    }

    private func inputEnded(_ stream: HTTP2Stream) {
        stream.isOpenForClient = false
        if case .awaitsEnd = stream.phase {
            stream.phase = .awaitsAnswer
            ask(stream)
        }
    }

    // MARK: Other frames

    private func settingsCame(_ head: HTTP2FrameHead, _ payload: UnsafeRawBufferPointer) throws(HTTP2Code) {
        guard head.stream == 0 else { throw .protocolError }
        if head.has(HTTP2.ack) {
            guard payload.isEmpty else { throw .frameSize }
            return
        }
        try spend(&controls)
        let before = settings.window
        try settings.apply(payload)
        for stream in streams.values {
            stream.window += settings.window - before
            guard stream.window <= HTTP2.windowMax else { throw .flowControl }
            getInLine(stream)
        }
        output.write(HTTP2.settings, flags: HTTP2.ack, stream: 0)
    }

    private func roomCame(_ head: HTTP2FrameHead, _ payload: UnsafeRawBufferPointer) throws(HTTP2Code) {
        guard payload.count == 4 else { throw .frameSize }
        guard head.stream <= lastStream else { throw .protocolError }
        let room = Int(UInt32(bigEndian: payload.loadUnaligned(as: UInt32.self)) & 0x7FFF_FFFF)
        guard head.stream != 0 else {
            guard room > 0 else { throw .protocolError }
            window += room
            guard window <= HTTP2.windowMax else { throw .flowControl }
            return
        }
        // Room on streams that are over is on its way as often as not.
        guard let stream = streams[head.stream] else { return }
        stream.window += room
        guard room > 0, stream.window <= HTTP2.windowMax else {
            end(stream)
            return try reset(head.stream, room > 0 ? .flowControl : .protocolError)
        }
        getInLine(stream)
    }

    private func resetCame(_ head: HTTP2FrameHead, _ payload: UnsafeRawBufferPointer) throws(HTTP2Code) {
        guard payload.count == 4 else { throw .frameSize }
        guard head.stream != 0, head.stream <= lastStream else { throw .protocolError }
        loop.figures.streamsReset.add()
        if let stream = streams[head.stream] { end(stream) }
        try spend(&resets)
    }

    private func pingCame(_ head: HTTP2FrameHead, _ payload: UnsafeRawBufferPointer) throws(HTTP2Code) {
        guard payload.count == 8 else { throw .frameSize }
        guard head.stream == 0 else { throw .protocolError }
        if head.has(HTTP2.ack) { return pongCame() }
        try spend(&controls)
        output.write(HTTP2.ping, flags: HTTP2.ack, stream: 0, payload)
    }

    /// Refuses one stream; a client that goes on like this is not served any more.
    private func reset(_ id: Int32, _ code: HTTP2Code) throws(HTTP2Code) {
        output.reset(id, code)
        try spend(&resets)
    }

    private func spend(_ gauge: inout FloodGauge) throws(HTTP2Code) {
        guard !gauge.spend(intake.arrived) else { return }
        loop.figures.floods.add()
        throw .enhanceYourCalm
    }

    // MARK: Sending

    func becameWritable() { send() }

    /// Writes what there is to say, as far as the client takes it.
    func send() {
        guard !isSending, !isOver else { return }
        isSending = true
        output.writeSettingsOnce()
        repeat {
            advance()
            output.flush()
            // A flush can make room at once; nobody would call again for it.
        } while canAdvance
        isSending = false
        output.rest()
        closeIfDone()
    }

    private func closeIfDone() {
        var isLeaving = clientLeaves
        if case .said = draining { isLeaving = true }
        guard isLeaving, streams.isEmpty, !isOver else { return }
        isOver = true
        connection.finish()
    }

    /// Says why, and ends: GOAWAY leaves with what else is ready, then the connection is closed.
    func breakOff(_ code: HTTP2Code) {
        guard !isOver else { return }
        output.writeSettingsOnce()
        output.goaway(last: lastStream, code)
        output.flush()
        output.rest()
        isOver = true
        connection.finish()
    }

    func closed() {
        isOver = true
        output.rest()
        line.removeAll()
        for stream in streams.values { end(stream) }
    }
}
