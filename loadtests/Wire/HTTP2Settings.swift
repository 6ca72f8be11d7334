import CNghttp2

/// What libcurl says about itself on HTTP/2. Source: docs/PROTOCOL.md, "Resolving".
struct HTTP2Settings: Hashable, Sendable {
    /// Of a new stream; large enough for all index files with `wide`.
    var streamWindow: UInt32
    /// What a stream's window becomes when its body begins; 0: it stays.
    var streamWindowThen: Int32
    var connectionWindow: Int32

    static let curl = HTTP2Settings(
        streamWindow: 65_536, streamWindowThen: 10 << 20, connectionWindow: 1000 << 20)
    /// Spares the frame that enlarges the window of each answer.
    static let wide = HTTP2Settings(streamWindow: 10 << 20, streamWindowThen: 0, connectionWindow: 1000 << 20)

    static let streamsMax: UInt32 = 100

    var entries: [nghttp2_settings_entry] {
        [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue), value: Self.streamsMax),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: streamWindow),
            nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue), value: 0),
        ]
    }

    /// What goes into `HTTP2-Settings` with `Upgrade: h2c`: the same in base64url, and as the bytes that it stands for.
    static let upgradeText = "AAMAAABkAAQAAQAAAAIAAAAA"
    static let upgradePayload: [UInt8] = [0, 3, 0, 0, 0, 100, 0, 4, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0]
}
