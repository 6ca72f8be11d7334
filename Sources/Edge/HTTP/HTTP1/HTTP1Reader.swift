import NIOCore

/// Takes bytes as they come and gives back request heads, one after the other.
///
/// Strict: whatever RFC 9112 lets a server refuse is refused, because a lenient reader behind or before a strict one
/// is how requests are smuggled. Source: RFC 9112; docs/PROTOCOL.md, 1.7.
struct HTTP1Reader {
    enum Step {
        case incomplete
        case head(HTTP1Head)
        /// Nothing of what follows can be trusted; the connection must end.
        case refused(Refusal)
    }

    private var buffer = ByteBuffer()
    private var scanner = HTTP1Scanner()

    /// True if nothing of a next head has come.
    var isEmpty: Bool { buffer.readableBytes == 0 }

    mutating func append(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
        } else {
            var bytes = bytes
            buffer.writeBuffer(&bytes)
        }
    }

    mutating func next() -> Step {
        guard buffer.readableBytes > 0 else { return .incomplete }
        var scanner = scanner
        let outcome = buffer.withUnsafeReadableBytes { scanner.scan($0) }
        self.scanner = scanner
        switch outcome {
        case .incomplete: return .incomplete
        case .refused(let refusal): return .refused(refusal)
        case .complete(let bytes):
            let head = head(from: scanner.draft, bytes)
            buffer.moveReaderIndex(forwardBy: bytes)
            self.scanner = HTTP1Scanner()
            if buffer.readableBytes == 0 { buffer = ByteBuffer() }
            return .head(head)
        }
    }

    /// What follows the last head; for a connection that now speaks another protocol.
    mutating func takeRest() -> ByteBuffer {
        defer { buffer = ByteBuffer() }
        return buffer
    }

    private func head(from draft: HTTP1Draft, _ bytes: Int) -> HTTP1Head {
        var head = HTTP1Head(
            method: draft.method,
            text: slice(0..<bytes),
            path: draft.path.isEmpty ? nil : draft.path,
            query: draft.query,
            authorization: draft.authorization,
            ifNoneMatch: draft.ifNoneMatch,
            acceptsGzip: draft.encodings.acceptsGzip,
            keepsAlive: draft.isHTTP11 && !draft.closes,
            upgradeSettings: draft.upgradeSettings.map(slice))
        if !draft.furtherIfNoneMatch.isEmpty { join(draft.furtherIfNoneMatch, to: &head) }
        return head
    }

    private func slice(_ range: Range<Int>) -> ByteBuffer {
        // The scanner's ranges lie within the bytes that it was shown.
        buffer.getSlice(at: buffer.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer()
    }

    /// Several fields count as one list; it is put behind the head.
    private func join(_ others: [Range<Int>], to head: inout HTTP1Head) {
        guard let first = head.ifNoneMatch else { return }
        let start = head.text.readableBytes
        head.text.writeImmutableBuffer(slice(first))
        for other in others {
            head.text.writeStaticString(",")
            head.text.writeImmutableBuffer(slice(other))
        }
        head.ifNoneMatch = start..<head.text.readableBytes
    }
}
