import NIOCore

/// A request's head as places in the bytes that all heads of a burst share.
struct HTTP2Head {
    let stream: Int32
    var method = EdgeRequest.Method.other
    var path: Range<Int>?
    var query: Range<Int>?
    var authorization: Range<Int>?
    var ifNoneMatch: Range<Int>?
    var encodings = AcceptEncoding()
    /// The first rule that the head breaks; the rest of it is skipped then.
    var refusal: Refusal?
    /// False if DATA may follow.
    var isWhole = false

    fileprivate var fields = 0
    fileprivate var fieldBytes = 0

    init(stream: Int32) { self.stream = stream }
}

/// Gathers the heads that one burst of reads brings, without an allocation for each.
struct HTTP2HeadReader {
    private(set) var finished: [HTTP2Head] = []
    private var text = ByteBuffer()
    private var current: HTTP2Head?
    private var isTaken = false

    /// Memory that is kept for the next burst.
    private static let keptBytesMax = 16 << 10

    mutating func begin(stream: Int32) {
        if isTaken, finished.isEmpty { clear() }
        current = HTTP2Head(stream: stream)
    }

    /// Trailers are skipped: nobody needs them.
    mutating func field(stream: Int32, _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        guard var head = current, head.stream == stream, head.refusal == nil else { return }
        // Put back in any case; taken out so that the head is changed in place.
        current = nil
        head.fields += 1
        head.fieldBytes += name.count + value.count
        if head.fields > HeadLimits.fieldsMax || head.fieldBytes > HeadLimits.fieldBytesMax {
            head.refusal = .fieldsTooLarge
        } else {
            do throws(Refusal) { try keep(name, value, in: &head) } catch { head.refusal = error }
        }
        current = head
    }

    mutating func end(stream: Int32, isWhole: Bool) {
        guard var head = current, head.stream == stream else { return }
        current = nil
        head.isWhole = isWhole
        finished.append(head)
    }

    /// The stream of a finished head has ended or broken off before its request was taken.
    mutating func drop(stream: Int32) { finished.removeAll { $0.stream == stream } }

    /// The end of a stream came in the same burst as its head.
    mutating func becomeWhole(stream: Int32) { change(stream) { $0.isWhole = true } }

    /// What came after a head in the same burst is not allowed.
    mutating func refuse(stream: Int32, _ refusal: Refusal) {
        change(stream) { head in if head.refusal == nil { head.refusal = refusal } }
    }

    private mutating func change(_ stream: Int32, _ change: (inout HTTP2Head) -> Void) {
        guard let index = finished.lastIndex(where: { $0.stream == stream }) else { return }
        change(&finished[index])
    }

    /// The finished heads, and the bytes that they speak of.
    mutating func take() -> ([HTTP2Head], ByteBuffer) {
        let taken = (finished, text)
        finished = []
        isTaken = true
        return taken
    }

    /// Makes room for the next burst. Done late, when the requests of the last one are over as a rule: then the memory
    /// is used again.
    private mutating func clear() {
        isTaken = false
        if text.capacity > Self.keptBytesMax { text = ByteBuffer() } else { text.clear() }
    }

    static func request(_ head: HTTP2Head, in text: ByteBuffer, id: UInt64) -> EdgeRequest {
        let slice = { (range: Range<Int>) in
            text.getSlice(at: text.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer()
        }
        return EdgeRequest(
            method: head.method, path: head.path.map(slice) ?? root, query: head.query.map(slice),
            authorization: head.authorization.map(slice), ifNoneMatch: head.ifNoneMatch.map(slice),
            acceptsGzip: head.encodings.acceptsGzip, id: id)
    }

    private static let root = ByteBuffer(string: "/")

    // MARK: Fields

    /// libnghttp2 has checked the names, the order and the number of pseudo-header fields.
    private mutating func keep(
        _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, in head: inout HTTP2Head
    ) throws(Refusal) {
        switch name.count {
        case 4 where name.equals("host"), 10 where name.equals(":authority"):
            guard value.isHost else { throw .badHost }
        case 5 where name.equals(":path"):
            try keepPath(value, in: &head)
        case 7 where name.equals(":method"):
            head.method = value.elementsEqual("GET".utf8) ? .get : value.elementsEqual("HEAD".utf8) ? .head : .other
        case 13 where name.equals("authorization"):
            if head.authorization != nil { throw .repeatedAuthorization }
            head.authorization = store(value)
        case 13 where name.equals("if-none-match"):
            keepTags(value, in: &head)
        case 14 where name.equals("content-length"):
            // Anything but a number has been refused by libnghttp2.
            if !value.allSatisfy({ $0 == UInt8(ascii: "0") }) { throw .body }
        case 15 where name.equals("accept-encoding"):
            head.encodings.read(value)
        default: break
        }
    }

    private mutating func keepPath(_ value: UnsafeRawBufferPointer, in head: inout HTTP2Head) throws(Refusal) {
        guard value.count <= HeadLimits.requestLineBytesMax else { throw .requestLineTooLong }
        // `*` is what OPTIONS asks of the server as a whole.
        if value.elementsEqual("*".utf8) { return }
        guard value.first == UInt8(ascii: "/"), value.isTarget else { throw .badTarget }
        let all = store(value)
        guard let mark = value.firstIndex(of: UInt8(ascii: "?")) else {
            head.path = all
            return
        }
        head.path = all.lowerBound..<all.lowerBound + mark
        head.query = all.lowerBound + mark + 1..<all.upperBound
    }

    private mutating func keepTags(_ value: UnsafeRawBufferPointer, in head: inout HTTP2Head) {
        guard let earlier = head.ifNoneMatch,
            let bytes = text.getSlice(at: text.readerIndex + earlier.lowerBound, length: earlier.count)
        else {
            head.ifNoneMatch = store(value)
            return
        }
        let start = text.readableBytes
        text.writeImmutableBuffer(bytes)
        text.writeStaticString(",")
        text.writeBytes(value)
        head.ifNoneMatch = start..<text.readableBytes
    }

    private mutating func store(_ value: UnsafeRawBufferPointer) -> Range<Int> {
        let start = text.readableBytes
        text.writeBytes(value)
        return start..<text.readableBytes
    }
}
