import CNghttp2

/// The C side of an `HTTP2Speaker`: plain functions that find the speaker again and pass the call on.
enum HTTP2ClientCallbacks {
    // Unsafe for the compiler only: both are made once, before the first session, and read-only ever after.
    nonisolated(unsafe) static let callbacks = makeCallbacks()
    nonisolated(unsafe) static let options = makeOptions()

    private static func makeOptions() -> OpaquePointer? {
        var options: OpaquePointer?
        guard nghttp2_option_new(&options) == 0 else { return nil }
        // No memory for streams that are over: they matter only to the old priority tree.
        nghttp2_option_set_no_closed_streams(options, 1)
        return options
    }

    private static func makeCallbacks() -> OpaquePointer? {
        var callbacks: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0 else { return nil }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, frame, name, nameCount, value, valueCount, _, user in
            user!.speaker.field(
                stream: frame!.pointee.hd.stream_id, UnsafeRawBufferPointer(start: name, count: nameCount),
                UnsafeRawBufferPointer(start: value, count: valueCount))
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            user!.speaker.frameCame(frame!.pointee)
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, stream, bytes, count, user in
            user!.speaker.bytesCame(stream: stream, UnsafeRawBufferPointer(start: bytes, count: count))
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, code, user in
            user!.speaker.streamClosed(stream, code: code)
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { _, frame, _, user in
            user!.speaker.frameStayed(frame!.pointee)
            return 0
        }
        return callbacks
    }

    /// Copies what is left of a request's body.
    static func bodySource() -> nghttp2_data_provider {
        nghttp2_data_provider(
            source: nghttp2_data_source(fd: 0),
            read_callback: { _, stream, target, room, flags, _, user in
                user!.speaker.takeBody(stream: stream, into: target!, room: room, flags: flags!)
            })
    }
}

extension UnsafeMutableRawPointer {
    /// The session never outlives its speaker, which passed itself when it made the session.
    fileprivate var speaker: HTTP2Speaker { Unmanaged<HTTP2Speaker>.fromOpaque(self).takeUnretainedValue() }
}
