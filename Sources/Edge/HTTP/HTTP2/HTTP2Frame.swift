/// The nine bytes before every frame, and the numbers in them. Source: RFC 9113, 4.1 and 6.
struct HTTP2FrameHead {
    static let bytes = 9

    let length: Int
    let type: UInt8
    let flags: UInt8
    let stream: Int32

    /// - Parameter bytes: at least nine.
    init(_ bytes: UnsafeRawBufferPointer) {
        length = Int(bytes[0]) << 16 | Int(bytes[1]) << 8 | Int(bytes[2])
        type = bytes[3]
        flags = bytes[4]
        // The highest bit says nothing and is ignored.
        stream = Int32(
            bitPattern: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 5, as: UInt32.self)) & 0x7FFF_FFFF)
    }

    /// Writes a head.
    ///
    /// - Parameter space: at least nine bytes.
    static func write(to space: UnsafeMutableRawPointer, length: Int, type: UInt8, flags: UInt8, stream: Int32) {
        space.storeBytes(of: UInt8(truncatingIfNeeded: length >> 16), as: UInt8.self)
        space.storeBytes(of: UInt8(truncatingIfNeeded: length >> 8), toByteOffset: 1, as: UInt8.self)
        space.storeBytes(of: UInt8(truncatingIfNeeded: length), toByteOffset: 2, as: UInt8.self)
        space.storeBytes(of: type, toByteOffset: 3, as: UInt8.self)
        space.storeBytes(of: flags, toByteOffset: 4, as: UInt8.self)
        space.storeBytes(of: stream.bigEndian, toByteOffset: 5, as: Int32.self)
    }

    func has(_ flag: UInt8) -> Bool { flags & flag != 0 }
}

/// Numbers of RFC 9113.
enum HTTP2 {
    static let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    static let data: UInt8 = 0
    static let headers: UInt8 = 1
    static let priority: UInt8 = 2
    static let reset: UInt8 = 3
    static let settings: UInt8 = 4
    static let pushPromise: UInt8 = 5
    static let ping: UInt8 = 6
    static let goaway: UInt8 = 7
    static let windowUpdate: UInt8 = 8
    static let continuation: UInt8 = 9

    static let endStream: UInt8 = 0x1
    static let ack: UInt8 = 0x1
    static let endHeaders: UInt8 = 0x4
    static let padded: UInt8 = 0x8
    static let hasPriority: UInt8 = 0x20

    /// What we let clients send, and what we send at most: everybody's default.
    static let frameBytesMax = 16_384
    static let windowStart = 65_535
    static let windowMax = 0x7FFF_FFFF
    static let streamLast = Int32.max
}

/// Why a connection or a stream ends.
enum HTTP2Code: UInt32, Error {
    case noError = 0, protocolError, internalError, flowControl, settingsTimeout, streamClosed, frameSize, refusedStream
    case cancel, compression, connect, enhanceYourCalm
}
