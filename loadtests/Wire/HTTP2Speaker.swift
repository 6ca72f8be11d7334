import CNghttp2
import NIOCore

/// HTTP/2 through libnghttp2's client session. All frames of a burst leave in one write.
final class HTTP2Speaker: WireSpeaker {
    private unowned let connection: WireConnection
    private let settings: HTTP2Settings
    /// nil once the connection is over.
    private var session: OpaquePointer?
    private var streams: [Stream] = []
    private var free: [Int] = []
    private var bodies: [Int32: ByteBuffer] = [:]
    private var out = ByteBuffer()
    /// What the server allows; 100 until it says so, like libcurl.
    private var serverStreamsMax = 100
    private var isLeaving = false
    /// Inside the session, which must not be entered again from a callback.
    private var isBusy = false
    /// What the connection is to be closed with when the session has been left.
    private var ending: (WireFailure?)?

    private struct Stream {
        var id: Int32
        var tag: Int
        var status = 0
        /// The final head has come; what follows is a trailer.
        var isHeadWhole = false
        var isCancelled = false
    }

    private static let writeBytesMax = 128 << 10

    init(_ connection: WireConnection, _ settings: HTTP2Settings) {
        self.connection = connection
        self.settings = settings
        let me = Unmanaged.passUnretained(self).toOpaque()
        let made = nghttp2_session_client_new2(
            &session, HTTP2ClientCallbacks.callbacks, me, HTTP2ClientCallbacks.options)
        precondition(made == 0, "libnghttp2 fails to make a session only without memory")
    }

    deinit { if let session { nghttp2_session_del(session) } }

    /// - Parameter upgraded: the request that asked for the upgrade, which is stream 1 now.
    func begin(upgraded: (tag: Int, isHead: Bool)? = nil) {
        if let upgraded {
            let payload = HTTP2Settings.upgradePayload
            let place = add(Stream(id: 1, tag: upgraded.tag))
            nghttp2_session_upgrade2(
                session, payload, payload.count, upgraded.isHead ? 1 : 0, UnsafeMutableRawPointer(bitPattern: place + 1)
            )
        }
        let entries = settings.entries
        nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count)
        nghttp2_session_set_local_window_size(session, 0, 0, settings.connectionWindow)
        flush()
    }

    // MARK: Requests

    private var inFlight: Int { streams.count - free.count }

    var room: Int { isLeaving || session == nil ? 0 : max(0, min(connection.streamsMax, serverStreamsMax) - inFlight) }

    func send(_ parcel: WireParcel, tag: Int) {
        let place = add(Stream(id: 0, tag: tag))
        let user = UnsafeMutableRawPointer(bitPattern: place + 1)
        let fields = parcel.http2
        let body = parcel.request.body
        let id: Int32
        if body.readableBytes > 0 {
            var source = HTTP2ClientCallbacks.bodySource()
            id = nghttp2_submit_request(session, nil, fields.fields, fields.count, &source, user)
            if id > 0 { bodies[id] = body }
        } else {
            id = nghttp2_submit_request(session, nil, fields.fields, fields.count, nil, user)
        }
        guard id > 0 else {
            // The numbers of streams are used up: RFC 9113, 5.1.1.
            isLeaving = true
            remove(place)
            connection.listener?.failed(tag, .goneAway, isUntouched: true)
            return
        }
        streams[place].id = id
    }

    func cancel(_ tag: Int) {
        guard let place = streams.indices.first(where: { streams[$0].tag == tag && streams[$0].id > 0 }) else { return }
        streams[place].isCancelled = true
        nghttp2_submit_rst_stream(session, 0, streams[place].id, NGHTTP2_CANCEL.rawValue)
        if !isBusy { flush() }
    }

    private func add(_ stream: Stream) -> Int {
        if let place = free.popLast() {
            streams[place] = stream
            return place
        }
        streams.append(stream)
        return streams.count - 1
    }

    private func remove(_ place: Int) {
        streams[place].id = -1
        streams[place].tag = -1
        free.append(place)
    }

    private func place(of stream: Int32) -> Int? {
        nghttp2_session_get_stream_user_data(session, stream).map { Int(bitPattern: $0) - 1 }
    }

    // MARK: Reading

    func received(_ bytes: inout ByteBuffer) {
        guard let session else { return }
        isBusy = true
        let read = bytes.withUnsafeReadableBytes {
            nghttp2_session_mem_recv(session, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count)
        }
        isBusy = false
        bytes.moveReaderIndex(to: bytes.writerIndex)
        if let ending { return connection.close(ending) }
        if read < 0 { end(.garbled(String(cString: nghttp2_strerror(Int32(read))))) }
    }

    func field(stream: Int32, _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        guard let place = place(of: stream), !streams[place].isHeadWhole, !streams[place].isCancelled else { return }
        let tag = streams[place].tag
        guard name.count == 7, name.isField(":status") else {
            connection.listener?.answerField(tag, name: name, value: value)
            return
        }
        // libnghttp2 has made sure of three digits.
        let status = value.reduce(0) { $0 * 10 + Int($1) - 48 }
        streams[place].status = status
        connection.listener?.answerBegan(tag, status: status)
    }

    func bytesCame(stream: Int32, _ bytes: UnsafeRawBufferPointer) {
        guard let place = place(of: stream), !streams[place].isCancelled else { return }
        connection.listener?.answerBytes(streams[place].tag, bytes)
    }

    func frameCame(_ frame: nghttp2_frame) {
        switch UInt32(frame.hd.type) {
        case NGHTTP2_HEADERS.rawValue:
            guard let place = place(of: frame.hd.stream_id), streams[place].status >= 200 else { return }
            let hasBody = UInt32(frame.hd.flags) & NGHTTP2_FLAG_END_STREAM.rawValue == 0
            if hasBody, !streams[place].isHeadWhole, settings.streamWindowThen > 0 {
                nghttp2_session_set_local_window_size(session, 0, frame.hd.stream_id, settings.streamWindowThen)
            }
            streams[place].isHeadWhole = true
        case NGHTTP2_SETTINGS.rawValue:
            guard UInt32(frame.hd.flags) & NGHTTP2_FLAG_ACK.rawValue == 0 else { return }
            serverStreamsMax = Int(
                nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
            connection.roomChanged()
        case NGHTTP2_GOAWAY.rawValue:
            isLeaving = true
        default: break
        }
    }

    func streamClosed(_ id: Int32, code: UInt32) {
        // A request that did not leave may be reported twice, and its place be taken again.
        guard let place = place(of: id), streams[place].id == id else { return }
        let stream = streams[place]
        remove(place)
        if !bodies.isEmpty { bodies[id] = nil }
        if !stream.isCancelled {
            if code == NGHTTP2_NO_ERROR.rawValue, stream.isHeadWhole {
                connection.listener?.answerEnded(stream.tag)
            } else {
                fail(stream, code: code)
            }
        }
        if isLeaving, inFlight == 0 { end(nil) }
    }

    /// Closing ends the session at once, which must not happen inside one of its callbacks.
    private func end(_ reason: WireFailure?) {
        if isBusy { ending = .some(reason) } else { connection.close(reason) }
    }

    private func fail(_ stream: Stream, code: UInt32) {
        let isRefused = code == NGHTTP2_REFUSED_STREAM.rawValue && stream.status == 0
        connection.listener?.failed(
            stream.tag, isRefused && isLeaving ? .goneAway : .reset(code), isUntouched: isRefused)
    }

    /// A request that did not leave, because the server is leaving: there is no stream that could close.
    func frameStayed(_ frame: nghttp2_frame) {
        guard UInt32(frame.hd.type) == NGHTTP2_HEADERS.rawValue,
            let place = streams.firstIndex(where: { $0.id == frame.hd.stream_id })
        else { return }
        let stream = streams[place]
        remove(place)
        bodies[stream.id] = nil
        if !stream.isCancelled { connection.listener?.failed(stream.tag, .goneAway, isUntouched: true) }
        if isLeaving, inFlight == 0 { end(nil) }
    }

    // MARK: Sending

    func takeBody(
        stream: Int32, into target: UnsafeMutablePointer<UInt8>, room: Int, flags: UnsafeMutablePointer<UInt32>
    ) -> Int {
        guard var body = bodies[stream] else {
            flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            return 0
        }
        let count = min(room, body.readableBytes)
        body.readWithUnsafeReadableBytes { bytes in
            UnsafeMutableRawPointer(target).copyMemory(from: bytes.baseAddress!, byteCount: count)
            return count
        }
        bodies[stream] = body
        if body.readableBytes == 0 { flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
        return count
    }

    func flush() {
        guard !isBusy else { return }
        while let session {
            var bytes: UnsafePointer<UInt8>?
            isBusy = true
            let count = nghttp2_session_mem_send(session, &bytes)
            isBusy = false
            if let ending { return connection.close(ending) }
            guard count > 0 else {
                if count < 0 { end(.garbled(String(cString: nghttp2_strerror(Int32(count))))) }
                break
            }
            out.writeBytes(UnsafeRawBufferPointer(start: bytes, count: count))
            if out.readableBytes >= Self.writeBytesMax { writeOut() }
        }
        writeOut()
        guard let session else { return }
        if nghttp2_session_want_read(session) == 0, nghttp2_session_want_write(session) == 0 {
            connection.close(.garbled("the server broke the rules of HTTP/2"))
        }
    }

    private func writeOut() {
        guard out.readableBytes > 0 else { return }
        connection.write(out)
        connection.flush()
        out.clear()
    }

    func inputEnded() { connection.close(inFlight == 0 ? nil : .closed) }

    func ended(_ failure: WireFailure) {
        guard let session else { return }
        self.session = nil
        nghttp2_session_del(session)
        for place in streams.indices where streams[place].id >= 0 {
            let stream = streams[place]
            remove(place)
            if !stream.isCancelled { connection.listener?.failed(stream.tag, failure, isUntouched: false) }
        }
    }
}
