import NIOCore

/// Cuts what comes into frames, and puts blocks of fields together that came in several.
struct HTTP2Intake {
    /// A whole block of fields.
    struct Block {
        let stream: Int32
        let isEnd: Bool
        var bytes: ByteBuffer
        fileprivate var parts = 1
    }

    /// When the last bytes came.
    private(set) var arrived = NIODeadline.now()
    private var kept = ByteBuffer()
    private var prefaceLeft = HTTP2.preface.utf8CodeUnitCount
    private var hasSettings = false
    private var open: Block?

    /// More than any head that is not refused; a block in more parts is an attempt to keep us busy.
    private static let blockBytesMax = 32 << 10
    private static let blockPartsMax = 16

    /// - Returns: what is to be read now.
    mutating func append(_ bytes: ByteBuffer) -> ByteBuffer {
        arrived = .now()
        guard kept.readableBytes > 0 else { return bytes }
        var all = kept
        kept = ByteBuffer()
        all.writeImmutableBuffer(bytes)
        return all
    }

    /// Keeps what is the beginning of a frame.
    mutating func keep(_ bytes: ByteBuffer, from start: Int) {
        guard start < bytes.readableBytes else { return }
        kept = bytes.getSlice(at: bytes.readerIndex + start, length: bytes.readableBytes - start) ?? ByteBuffer()
    }

    /// A whole frame, and where the next one begins.
    struct Frame {
        let head: HTTP2FrameHead
        let payload: UnsafeRawBufferPointer
        let end: Int
    }

    /// - Returns: nil if what stands at `place` is no whole frame yet.
    mutating func next(_ all: UnsafeRawBufferPointer, at place: Int) throws(HTTP2Code) -> Frame? {
        guard all.count - place >= HTTP2FrameHead.bytes else { return nil }
        let head = HTTP2FrameHead(UnsafeRawBufferPointer(rebasing: all[place...]))
        guard head.length <= HTTP2.frameBytesMax else { throw .frameSize }
        let end = place + HTTP2FrameHead.bytes + head.length
        guard all.count >= end else { return nil }
        try check(head)
        let payload = UnsafeRawBufferPointer(rebasing: all[place + HTTP2FrameHead.bytes..<end])
        return Frame(head: head, payload: payload, end: end)
    }

    /// - Returns: how many bytes belong to the preface.
    mutating func readPreface(_ all: UnsafeRawBufferPointer) throws(HTTP2Code) -> Int {
        guard prefaceLeft > 0 else { return 0 }
        let count = min(prefaceLeft, all.count)
        let start = HTTP2.preface.utf8CodeUnitCount - prefaceLeft
        let wanted = UnsafeBufferPointer(start: HTTP2.preface.utf8Start + start, count: count)
        guard all.prefix(count).elementsEqual(wanted) else { throw .protocolError }
        prefaceLeft -= count
        return count
    }

    private mutating func check(_ head: HTTP2FrameHead) throws(HTTP2Code) {
        if !hasSettings {
            guard head.type == HTTP2.settings, !head.has(HTTP2.ack) else { throw .protocolError }
            hasSettings = true
        }
        // Nothing may come between the parts of a block, because the table is read in order.
        if let open {
            guard head.type == HTTP2.continuation, head.stream == open.stream else { throw .protocolError }
        }
    }

    /// Takes HEADERS.
    ///
    /// - Returns: the block, if it is whole.
    mutating func fields(
        _ head: HTTP2FrameHead, _ payload: UnsafeRawBufferPointer
    ) throws(HTTP2Code) -> UnsafeRawBufferPointer? {
        guard head.stream & 1 == 1 else { throw .protocolError }
        var part = try Self.unpadded(head, payload)
        if head.has(HTTP2.hasPriority) {
            guard part.count >= 5 else { throw .frameSize }
            part = UnsafeRawBufferPointer(rebasing: part.dropFirst(5))
        }
        guard !head.has(HTTP2.endHeaders) else { return part }
        open = Block(stream: head.stream, isEnd: head.has(HTTP2.endStream), bytes: ByteBuffer(bytes: part))
        return nil
    }

    /// Takes CONTINUATION.
    ///
    /// - Returns: the block, once it is whole.
    mutating func goOn(_ head: HTTP2FrameHead, _ payload: UnsafeRawBufferPointer) throws(HTTP2Code) -> Block? {
        guard var block = open else { throw .protocolError }
        block.bytes.writeBytes(payload)
        block.parts += 1
        guard block.parts <= Self.blockPartsMax, block.bytes.readableBytes <= Self.blockBytesMax else {
            throw .enhanceYourCalm
        }
        open = head.has(HTTP2.endHeaders) ? nil : block
        return head.has(HTTP2.endHeaders) ? block : nil
    }

    /// The payload of HEADERS or DATA without its padding.
    static func unpadded(
        _ head: HTTP2FrameHead, _ payload: UnsafeRawBufferPointer
    ) throws(HTTP2Code) -> UnsafeRawBufferPointer {
        guard head.has(HTTP2.padded) else { return payload }
        guard let padding = payload.first, Int(padding) < payload.count else { throw .protocolError }
        return UnsafeRawBufferPointer(rebasing: payload[1..<payload.count - Int(padding)])
    }
}
