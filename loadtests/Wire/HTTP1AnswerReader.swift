import NIOCore

/// Reads answers of HTTP/1.1 off one connection, strictly: what two readers could understand differently is refused.
///
/// Source: RFC 9112.
struct HTTP1AnswerReader {
    enum Step: Hashable {
        case needsMore
        /// All fields have been passed on; interim answers come here too, 101 ends the reading.
        case head(status: Int)
        /// So many bytes of the body lie at the front of the input; the caller takes them before it asks again.
        case bytes(Int)
        case end(keepsAlive: Bool)
    }

    struct Garbled: Error, Hashable {
        let text: String
        init(_ text: String) { self.text = text }
    }

    static let headBytesMax = 64 << 10
    static let bodyBytesMax = 512 << 20
    /// A chunk's size in hex with its extensions.
    private static let chunkLineBytesMax = 256

    private enum Phase {
        case head
        case body(left: Int)
        case chunkSize
        case chunk(left: Int)
        case chunkEnd
        case trailers(bytes: Int)
        case untilClose
        case ended
    }

    private var phase = Phase.head
    private var keepsAlive = true
    private var chunkedBytes = 0

    /// True inside a body that only the end of the connection ends.
    var endsWithConnection: Bool {
        if case .untilClose = phase { return true }
        return false
    }

    /// - Parameters:
    ///   - isHead: the request was HEAD, whose answer has no body whatever it says.
    ///   - began: called with the status of a whole head, before its fields and its step.
    ///   - field: called for each field of a head, before its step.
    mutating func next(
        _ input: inout ByteBuffer, isHead: Bool, began: (Int) -> Void,
        field: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void
    ) throws(Garbled) -> Step {
        switch phase {
        case .head: return try readHead(&input, isHead: isHead, began, field)
        case .body(let left): return takeBody(&input, left: left) { .body(left: $0) }
        case .chunk(let left): return takeBody(&input, left: left) { .chunk(left: $0) }
        case .chunkSize: return try readChunkSize(&input)
        case .chunkEnd:
            guard let line = try readLine(&input, max: 2) else { return .needsMore }
            guard line.isEmpty else { throw Garbled("a chunk is longer than it says") }
            phase = .chunkSize
            return try readChunkSize(&input)
        case .trailers(let bytes): return try readTrailers(&input, bytes: bytes)
        case .untilClose:
            return input.readableBytes > 0 ? .bytes(input.readableBytes) : .needsMore
        case .ended:
            phase = .head
            return .end(keepsAlive: keepsAlive)
        }
    }

    // MARK: Bodies

    private mutating func takeBody(_ input: inout ByteBuffer, left: Int, _ more: (Int) -> Phase) -> Step {
        let count = min(left, input.readableBytes)
        guard count > 0 else { return .needsMore }
        if count < left {
            phase = more(left - count)
        } else if case .chunk = phase {
            phase = .chunkEnd
        } else {
            phase = .ended
        }
        return .bytes(count)
    }

    private mutating func readChunkSize(_ input: inout ByteBuffer) throws(Garbled) -> Step {
        guard let line = try readLine(&input, max: Self.chunkLineBytesMax) else { return .needsMore }
        var size = 0
        var digits = 0
        for byte in line {
            guard let digit = Self.hex(byte) else {
                guard digits > 0, byte == UInt8(ascii: ";") || byte == UInt8(ascii: " ") else {
                    throw Garbled("a chunk's size is no number")
                }
                break
            }
            digits += 1
            size = size << 4 | digit
            guard size <= Self.bodyBytesMax else { throw Garbled("the body is too large") }
        }
        guard digits > 0 else { throw Garbled("a chunk's size is no number") }
        chunkedBytes += size
        guard chunkedBytes <= Self.bodyBytesMax else { throw Garbled("the body is too large") }
        if size == 0 {
            phase = .trailers(bytes: 0)
            return try readTrailers(&input, bytes: 0)
        }
        phase = .chunk(left: size)
        return takeBody(&input, left: size) { .chunk(left: $0) }
    }

    private mutating func readTrailers(_ input: inout ByteBuffer, bytes: Int) throws(Garbled) -> Step {
        var bytes = bytes
        while let line = try readLine(&input, max: Self.headBytesMax) {
            bytes += line.count + 2
            guard bytes <= Self.headBytesMax else { throw Garbled("the trailers are too large") }
            phase = .trailers(bytes: bytes)
            if line.isEmpty {
                phase = .head
                return .end(keepsAlive: keepsAlive)
            }
        }
        return .needsMore
    }

    /// Without its CR LF; nil while it is not whole.
    private func readLine(_ input: inout ByteBuffer, max: Int) throws(Garbled) -> [UInt8]? {
        let view = input.readableBytesView
        guard let end = view.prefix(max + 2).firstIndex(of: UInt8(ascii: "\n")) else {
            guard view.count < max + 2 else { throw Garbled("a line is too long") }
            return nil
        }
        guard end > view.startIndex, view[end - 1] == UInt8(ascii: "\r") else {
            throw Garbled("a line ends in a bare LF")
        }
        let line = Array(view[..<(end - 1)])
        input.moveReaderIndex(forwardBy: line.count + 2)
        return line
    }

    private static func hex(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte) - 48
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte) - 87
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte) - 55
        default: nil
        }
    }

    // MARK: The head

    private mutating func readHead(
        _ input: inout ByteBuffer, isHead: Bool, _ began: (Int) -> Void,
        _ field: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void
    ) throws(Garbled) -> Step {
        let result = input.withUnsafeReadableBytes { bytes -> Result<(HTTP1AnswerHead, Int)?, Garbled> in
            do throws(Garbled) {
                var head = HTTP1AnswerHead()
                guard let count = try head.read(bytes, max: Self.headBytesMax, began, field) else {
                    return .success(nil)
                }
                return .success((head, count))
            } catch {
                return .failure(error)
            }
        }
        guard let (head, count) = try result.get() else { return .needsMore }
        input.moveReaderIndex(forwardBy: count)
        try begin(head, isHead: isHead)
        return .head(status: head.status)
    }

    private mutating func begin(_ head: HTTP1AnswerHead, isHead: Bool) throws(Garbled) {
        keepsAlive = head.keepsAlive
        chunkedBytes = 0
        if head.status < 200 {
            phase = .head
        } else if isHead || head.status == 204 || head.status == 304 {
            phase = .ended
        } else if head.isChunked {
            guard head.length == nil else { throw Garbled("a body has a length and chunks") }
            phase = .chunkSize
        } else if let length = head.length {
            guard length <= Self.bodyBytesMax else { throw Garbled("the body is too large") }
            phase = length == 0 ? .ended : .body(left: length)
        } else {
            keepsAlive = false
            phase = .untilClose
        }
    }
}
