import Foundation

/// Frames of HTTP/2 made and read by hand, for what no well-behaved client does.
enum RawHTTP2 {
    struct Frame: Equatable {
        let type: UInt8
        let flags: UInt8
        let stream: Int
        let payload: [UInt8]

        /// Of a GOAWAY frame.
        var lastStream: Int { number(at: 0) }
        var errorCode: Int { number(at: 4) }

        private func number(at offset: Int) -> Int {
            payload[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
        }
    }

    static let data: UInt8 = 0
    static let headers: UInt8 = 1
    static let reset: UInt8 = 3
    static let settings: UInt8 = 4
    static let ping: UInt8 = 6
    static let goaway: UInt8 = 7
    static let windowUpdate: UInt8 = 8
    static let continuation: UInt8 = 9

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    static let enhanceYourCalm = 11

    static func frame(_ type: UInt8, flags: UInt8 = 0, stream: Int = 0, _ payload: [UInt8] = []) -> [UInt8] {
        let count = payload.count
        return [UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags]
            + (0..<4).map { UInt8(stream >> (24 - 8 * $0) & 255) } + payload
    }

    /// GET of a path shorter than 127 bytes, as one HEADERS frame that ends the stream unless told otherwise.
    static func get(_ path: String, stream: Int, flags: UInt8 = 5, more: [(String, String)] = []) -> [UInt8] {
        var block: [UInt8] = [0x82, 0x86, 0x04] + text(path) + [0x01] + text("localhost")
        for field in more { block += [0x00] + text(field.0) + text(field.1) }
        return frame(headers, flags: flags, stream: stream, block)
    }

    /// Any fields in any order, as one HEADERS frame that ends the stream unless told otherwise. Less than 127 bytes each.
    static func request(_ fields: [(String, String)], stream: Int, flags: UInt8 = 5) -> [UInt8] {
        frame(headers, flags: flags, stream: stream, block(fields))
    }

    /// Literal fields that no table remembers.
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { [0x00] + text($0.0) + text($0.1) }
    }

    private static func text(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }

    static func frames(_ bytes: some Collection<UInt8>) -> [Frame] {
        var rest = ArraySlice(Array(bytes))
        var frames: [Frame] = []
        while rest.count >= 9 {
            let head = Array(rest.prefix(9))
            let count = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
            guard rest.count >= 9 + count else { break }
            let stream = head[5...].reduce(0) { $0 << 8 | Int($1) }
            frames.append(
                Frame(type: head[3], flags: head[4], stream: stream, payload: Array(rest.dropFirst(9).prefix(count))))
            rest = rest.dropFirst(9 + count)
        }
        return frames
    }
}

extension RawClient {
    func frames(after prefix: Int = 0) -> [RawHTTP2.Frame] { RawHTTP2.frames(received.dropFirst(prefix)) }

    /// Reads until a frame is there that fits.
    func receiveFrame(after prefix: Int = 0, _ fits: (RawHTTP2.Frame) -> Bool) async throws -> RawHTTP2.Frame {
        while true {
            if let frame = frames(after: prefix).first(where: fits) { return frame }
            guard try await receive() else {
                throw RawFailure(step: "the connection ended; frames: \(frames(after: prefix))")
            }
        }
    }
}
