import CNghttp2
import Logging
import NIOCore

/// HTTP/2 through libnghttp2: its session keeps the protocol, this class the requests and the bytes.
///
/// `received` only feeds the session and asks the handler; `receivedAll` writes, so that all frames of a burst leave in
/// one write. Bodies are copied once, from the answer into the output.
final class HTTP2Connection: ConnectionEngine {
    let connection: Connection
    let loop: ServerLoop
    var streams = HTTP2Streams()
    var lastActive = NIODeadline.now()
    var draining = Draining.no
    /// nil once the connection is over.
    private(set) var session: OpaquePointer?

    private var heads = HTTP2HeadReader()
    private var ended: [Int] = []
    private var resets: FloodGauge
    private var controls: FloodGauge
    private var out = ByteBuffer()
    private var isPaused = false
    /// After 101 and before the client's first frame: what may still be sent of the answer.
    private var upgradeBytesLeft: Int?
    private var isSending = false

    enum Draining {
        case no
        /// The client has been told to open no more streams; those on their way are still taken.
        case noticed(since: NIODeadline)
        /// The last stream that will be answered has been named.
        case said
    }

    private static let writeBytesMax = 128 << 10
    /// libcurl fails if more comes along with 101 than fits into the buffer that it read the head into.
    private static let upgradeBytesMax = 8 << 10

    init(_ connection: Connection) {
        self.connection = connection
        loop = connection.loop
        let limits = loop.shared.configuration
        resets = FloodGauge(most: limits.resetsMax, perSecond: limits.resetsPerSecond)
        controls = FloodGauge(most: limits.controlFramesMax, perSecond: limits.controlFramesPerSecond)
        let me = Unmanaged.passUnretained(self).toOpaque()
        let made = nghttp2_session_server_new2(&session, HTTP2Callbacks.callbacks, me, HTTP2Callbacks.options)
        precondition(made == 0, "libnghttp2 fails to make a session only without memory")
        submitSettings()
    }

    /// Takes over a plain connection whose client asked for `Upgrade: h2c`; `request` becomes stream 1.
    ///
    /// - Returns: nil if `settings` can't be read; the request is then answered without the upgrade.
    convenience init?(_ connection: Connection, upgrading request: EdgeRequest, settings: ByteBuffer) {
        guard let payload = UpgradeSettings.decode(settings) else { return nil }
        self.init(connection)
        let isHead: Int32 = request.method == .head ? 1 : 0
        guard nghttp2_session_upgrade2(session, payload, payload.count, isHead, nil) == 0 else {
            closed()
            return nil
        }
        add(HTTP2Stream(id: 1, account: RequestAccount(request, arrived: .now(), isCounted: false), isWhole: true))
    }

    deinit { if let session { nghttp2_session_del(session) } }

    /// The first bytes after an upgrade: 101, our settings, and the answer if it is there.
    func begin(rest: ByteBuffer) {
        connection.write(
            ByteBuffer(string: "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: h2c\r\n\r\n"))
        upgradeBytesLeft = Self.upgradeBytesMax
        ask(place: 0)
        if rest.readableBytes > 0 { received(rest) }
        send()
    }

    private func submitSettings() {
        let limits = loop.shared.configuration
        let settings = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue), value: UInt32(limits.streamsMax)),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue),
                value: UInt32(HeadLimits.fieldBytesMax + HeadLimits.requestLineBytesMax)),
            // The old priority tree costs more than all else, and nobody asks for it any more.
            nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES.rawValue), value: 1),
        ]
        nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), settings, settings.count)
    }

    // MARK: Reading

    func received(_ bytes: ByteBuffer) {
        guard let session else { return }
        if upgradeBytesLeft != nil {
            upgradeBytesLeft = nil
            nghttp2_session_resume_data(session, 1)
        }
        let read = bytes.withUnsafeReadableBytes {
            nghttp2_session_mem_recv(session, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count)
        }
        if read < 0 {
            breakOff(read == Int(NGHTTP2_ERR_FLOODED.rawValue) ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR)
        }
        takeHeads()
    }

    func receivedAll() { send() }

    private func takeHeads() {
        for place in ended { ask(place: place) }
        ended.removeAll(keepingCapacity: true)
        guard !heads.finished.isEmpty else { return }
        lastActive = .now()
        let (finished, text) = heads.take()
        for head in finished { accept(head, text) }
    }

    private func accept(_ head: HTTP2Head, _ text: ByteBuffer) {
        let request = HTTP2HeadReader.request(head, in: text, id: loop.requestNumber())
        let account = RequestAccount(request, arrived: lastActive, isCounted: false)
        guard let place = add(HTTP2Stream(id: head.stream, account: account, isWhole: head.isWhole)) else { return }
        if let refusal = head.refusal {
            refuse(place, refusal)
        } else if connection.isOneTooMany {
            refuse(place, .tooManyConnections)
            sayGoodbye()
        } else if head.isWhole {
            ask(place: place)
        }
    }

    /// - Returns: nil if the session knows no such stream any more.
    @discardableResult
    private func add(_ stream: HTTP2Stream) -> Int? {
        loop.figures.requestsHTTP2.add()
        let place = streams.add(stream)
        // One more than the place, since 0 would be no pointer.
        let user = UnsafeMutableRawPointer(bitPattern: place + 1)
        if nghttp2_session_set_stream_user_data(session, stream.id, user) == 0 { return place }
        _ = streams.remove(at: place)
        return nil
    }

    func place(of stream: Int32) -> Int? {
        nghttp2_session_get_stream_user_data(session, stream).map { Int(bitPattern: $0) - 1 }
    }

    // MARK: Called by the session while it reads

    func headBegan(_ frame: nghttp2_frame) {
        guard frame.headers.cat == NGHTTP2_HCAT_REQUEST else { return }
        heads.begin(stream: frame.hd.stream_id)
    }

    func field(stream: Int32, _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        heads.field(stream: stream, name, value)
    }

    func frameCame(_ frame: nghttp2_frame) {
        let isEnd = UInt32(frame.hd.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
        switch UInt32(frame.hd.type) {
        case NGHTTP2_HEADERS.rawValue where frame.headers.cat == NGHTTP2_HCAT_REQUEST:
            heads.end(stream: frame.hd.stream_id, isWhole: isEnd)
        case NGHTTP2_DATA.rawValue, NGHTTP2_HEADERS.rawValue:
            if isEnd { inputEnded(stream: frame.hd.stream_id) } else { spend(&controls) }
        case NGHTTP2_RST_STREAM.rawValue:
            loop.figures.streamsReset.add()
            spend(&resets)
        case NGHTTP2_PING.rawValue:
            if UInt32(frame.hd.flags) & NGHTTP2_FLAG_ACK.rawValue != 0 { pongCame() } else { spend(&controls) }
        case NGHTTP2_SETTINGS.rawValue, NGHTTP2_PRIORITY.rawValue:
            spend(&controls)
        default: break
        }
    }

    /// A head and the end of its stream can come in one burst: then the request isn't here yet, and becomes whole.
    private func inputEnded(stream: Int32) {
        if let place = place(of: stream) {
            let isDue = streams.change(place) { stream in
                stream.isOpenForClient = false
                if case .awaitsEnd = stream.phase { return true }
                return false
            }
            if isDue == true { ended.append(place) }
        } else {
            heads.becomeWhole(stream: stream)
        }
    }

    func bodyCame(stream: Int32) {
        guard let place = place(of: stream) else { return heads.refuse(stream: stream, .body) }
        if case .awaitsEnd? = streams[place]?.phase { refuse(place, .body) }
    }

    private func spend(_ gauge: inout FloodGauge) {
        guard !gauge.spend(.now()) else { return }
        loop.figures.floods.add()
        breakOff(NGHTTP2_ENHANCE_YOUR_CALM)
    }

    /// Says why, and ends: GOAWAY is sent with what else is ready, then the connection is closed.
    private func breakOff(_ reason: nghttp2_error_code) {
        nghttp2_session_terminate_session(session, reason.rawValue)
    }

    // MARK: Sending

    func becameWritable() { send() }

    /// Writes what the session has to say, as far as the client takes it.
    func send() {
        guard !isSending, session != nil else { return }
        isSending = true
        out = loop.lendScratch()
        // A flush can make room at once; nobody would call again for it.
        while fill(), connection.isWritable {}
        var lent = ByteBuffer()
        swap(&lent, &out)
        loop.giveBack(lent)
        isSending = false
        closeIfDone()
    }

    /// Writes until the session has no more to say or the client takes no more.
    ///
    /// - Returns: true if the session may have more to say.
    private func fill() -> Bool {
        var hasMore = true
        while hasMore, connection.isWritable, let session {
            var bytes: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(session, &bytes)
            if count > 0 { out.writeBytes(UnsafeRawBufferPointer(start: bytes, count: count)) }
            if out.readableBytes >= Self.writeBytesMax { writeOut() }
            hasMore = count > 0 || isPaused
            isPaused = false
            if count < 0 { fail(count) }
        }
        writeOut()
        connection.flush()
        return hasMore && session != nil
    }

    private func fail(_ code: Int) {
        loop.shared.logger.error("an HTTP/2 session failed", metadata: ["code": "\(code)"])
        connection.closeNow()
    }

    private func writeOut() {
        guard out.readableBytes > 0 else { return }
        connection.write(out)
        out.clear()
    }

    private func closeIfDone() {
        guard let session, nghttp2_session_want_read(session) == 0, nghttp2_session_want_write(session) == 0 else {
            return
        }
        connection.finish()
    }

    // MARK: Called by the session while it writes

    /// - Returns: how many bytes the next DATA frame takes; `NGHTTP2_ERR_DEFERRED` while a file is being read.
    func bodyAvailable(place: Int, room: Int, flags: UnsafeMutablePointer<UInt32>) -> Int {
        let room = min(room, upgradeBytesLeft ?? room)
        guard room > 0 else { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
        switch streams[place]?.body {
        case .bytes(let bytes):
            let count = min(room, bytes.readableBytes)
            flags.pointee = NGHTTP2_DATA_FLAG_NO_COPY.rawValue
            if count == bytes.readableBytes { flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
            return count
        case .file(let file):
            let count = min(room, file.chunk.readableBytes)
            guard count > 0 else {
                readAhead(file, place)
                return Int(NGHTTP2_ERR_DEFERRED.rawValue)
            }
            flags.pointee = NGHTTP2_DATA_FLAG_NO_COPY.rawValue
            if count == file.bytesLeft { flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
            return count
        case .some(.none), nil:
            return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
    }

    /// Puts one DATA frame into the output; pauses the session when enough for one write is there.
    func sendBody(frameHead: UnsafeRawBufferPointer, count: Int, place: Int) -> Int32 {
        out.writeBytes(frameHead)
        let now = loop.now
        if let left = upgradeBytesLeft { upgradeBytesLeft = left - count }
        streams.change(place) { stream in
            stream.account.bytes += count
            stream.lastSent = now
            switch stream.body {
            case .bytes(var bytes):
                bytes.readWithUnsafeReadableBytes { all in
                    out.writeBytes(UnsafeRawBufferPointer(rebasing: all[..<count]))
                }
                stream.body = .bytes(bytes)
            case .file(let file): out.writeImmutableBuffer(file.take(count))
            case .none: break
            }
            // Not when the stream is over: the output may leave before libnghttp2 says so.
            if stream.isSentWhole { stream.account.leaves(loop.shared.observer) }
        }
        guard out.readableBytes >= Self.writeBytesMax else { return 0 }
        isPaused = true
        return NGHTTP2_ERR_PAUSE.rawValue
    }

    func frameLeft(_ frame: nghttp2_frame) {
        guard frame.hd.stream_id != 0, UInt32(frame.hd.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0,
            let place = place(of: frame.hd.stream_id), streams[place]?.isOpenForClient == true
        else { return }
        // The answer is whole; the client need not send the rest of its body.
        nghttp2_submit_rst_stream(session, 0, frame.hd.stream_id, NGHTTP2_NO_ERROR.rawValue)
    }

    func streamClosed(_ id: Int32) {
        guard let place = place(of: id) else { return heads.drop(stream: id) }
        if let stream = streams.remove(at: place) { loop.finished(stream.account) }
    }

    func closed() {
        guard let session else { return }
        self.session = nil
        nghttp2_session_del(session)
        for place in streams.places.indices {
            if let stream = streams.remove(at: place) { loop.finished(stream.account) }
        }
    }
}
