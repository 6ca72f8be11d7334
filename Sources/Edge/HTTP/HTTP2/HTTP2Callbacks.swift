import CNghttp2

/// The C side of an `HTTP2Connection`: plain functions that find the connection again and pass the call on.
enum HTTP2Callbacks {
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
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
            user!.connection.headBegan(frame!.pointee)
            return 0
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, frame, name, nameCount, value, valueCount, _, user in
            user!.connection.field(
                stream: frame!.pointee.hd.stream_id, UnsafeRawBufferPointer(start: name, count: nameCount),
                UnsafeRawBufferPointer(start: value, count: valueCount))
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            user!.connection.frameCame(frame!.pointee)
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, stream, _, count, user in
            if count > 0 { user!.connection.bodyCame(stream: stream) }
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
            user!.connection.frameLeft(frame!.pointee)
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, _, user in
            user!.connection.streamClosed(stream)
            return 0
        }
        nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, _, head, count, source, user in
            user!.connection.sendBody(
                frameHead: UnsafeRawBufferPointer(start: head, count: 9), count: count, place: Int(source!.pointee.fd))
        }
        return callbacks
    }

    /// Reads nothing yet: says how much of the body the next frame takes. `sendBody` copies it straight to the output.
    static func bodySource(place: Int) -> nghttp2_data_provider {
        nghttp2_data_provider(
            source: nghttp2_data_source(fd: Int32(place)),
            read_callback: { _, _, _, room, flags, source, user in
                user!.connection.bodyAvailable(place: Int(source!.pointee.fd), room: room, flags: flags!)
            })
    }
}

extension UnsafeMutableRawPointer {
    /// The session never outlives its connection, which passed itself when it made the session.
    fileprivate var connection: HTTP2Connection { Unmanaged<HTTP2Connection>.fromOpaque(self).takeUnretainedValue() }
}
