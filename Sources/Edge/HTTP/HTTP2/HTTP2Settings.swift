/// What the client's SETTINGS say, as far as a server that pushes nothing cares.
struct HTTP2Settings {
    /// The smallest that it ever said: what its table lost by that never comes back.
    private(set) var headerTableBytes = 4096
    /// How much of a stream's body may be sent before the client opens its window.
    private(set) var window = HTTP2.windowStart

    /// More settings than exist, in one frame, are an attempt to keep us busy.
    private static let entriesMax = 32

    /// Takes the payload of a SETTINGS frame.
    ///
    /// - Throws: the error that ends the connection. Source: RFC 9113, 6.5.
    mutating func apply(_ payload: UnsafeRawBufferPointer) throws(HTTP2Code) {
        guard payload.count % 6 == 0 else { throw .frameSize }
        guard payload.count / 6 <= Self.entriesMax else { throw .enhanceYourCalm }
        for start in stride(from: 0, to: payload.count, by: 6) {
            let name = UInt16(bigEndian: payload.loadUnaligned(fromByteOffset: start, as: UInt16.self))
            let value = Int(UInt32(bigEndian: payload.loadUnaligned(fromByteOffset: start + 2, as: UInt32.self)))
            switch name {
            case 1: headerTableBytes = min(headerTableBytes, value)
            case 2: guard value <= 1 else { throw .protocolError }
            case 4:
                guard value <= HTTP2.windowMax else { throw .flowControl }
                window = value
            case 5: guard (HTTP2.frameBytesMax...0xFF_FFFF).contains(value) else { throw .protocolError }
            default: break
            }
        }
    }
}
