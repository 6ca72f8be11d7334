import NIOCore

/// A request's head as places in the reader's text.
struct HTTP2Head {
    var method = EdgeRequest.Method.other
    var path: Range<Int>?
    var query: Range<Int>?
    var authorization: Range<Int>?
    var ifNoneMatch: Range<Int>?
    var encodings = AcceptEncoding()
    /// The first rule of ours that the head breaks.
    var refusal: Refusal?
    /// It is no request at all; the stream is reset. RFC 9113, 8.1.1.
    var isMalformed = false

    fileprivate var fields = 0
    fileprivate var fieldBytes = 0
    fileprivate var hasRegular = false
    fileprivate var pseudo: Pseudo = []
    fileprivate var hasHost = false
    /// It can only be 0: others are refused.
    fileprivate(set) var hasContentLength = false

    /// Which pseudo-header fields came.
    fileprivate struct Pseudo: OptionSet {
        let rawValue: UInt8
        static let method = Pseudo(rawValue: 1)
        static let scheme = Pseudo(rawValue: 2)
        static let path = Pseudo(rawValue: 4)
        static let authority = Pseudo(rawValue: 8)
        static let needed = Pseudo(rawValue: 7)
    }
}

/// Reads one head after the other, without an allocation for each.
///
/// Strict, like the reader of HTTP/1.1: what RFC 9113 calls malformed is no request. Source: RFC 9113, 8.1 to 8.3.
struct HTTP2HeadReader {
    private var head = HTTP2Head()
    private var text = ByteBuffer()
    private let clientField: ClientField?
    /// Whom the head's last such field names.
    private var client: EdgePeer?

    /// Memory that is kept for the next head.
    private static let keptBytesMax = 16 << 10

    init(clientField: ClientField? = nil) { self.clientField = clientField }

    mutating func begin() {
        head = HTTP2Head()
        if clientField != nil { client = nil }
        // Allocates anew if a request that waits for its answer still holds the bytes.
        if text.capacity > Self.keptBytesMax { text = ByteBuffer() } else { text.clear() }
    }

    /// The head, once all its fields have been read.
    mutating func end() -> HTTP2Head {
        if !head.pseudo.isSuperset(of: .needed) || !head.hasHost { head.isMalformed = true }
        return head
    }

    /// - Parameter peer: whose the request is if no field names another.
    /// - Returns: the request that `head` is; holds the text.
    func request(_ head: HTTP2Head, id: UInt64, from peer: EdgePeer) -> EdgeRequest {
        EdgeRequest(
            method: head.method, in: text, path: head.path, query: head.query, authorization: head.authorization,
            ifNoneMatch: head.ifNoneMatch, acceptsGzip: head.encodings.acceptsGzip, id: id, peer: client ?? peer)
    }

    mutating func field(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        head.fields += 1
        head.fieldBytes += name.count + value.count
        guard !head.isMalformed, head.refusal == nil else { return }
        guard head.fields <= HeadLimits.fieldsMax, head.fieldBytes <= HeadLimits.fieldBytesMax else {
            head.refusal = .fieldsTooLarge
            return
        }
        guard let first = name.first, value.isFieldValue, value.first != 0x20, value.last != 0x20 else {
            head.isMalformed = true
            return
        }
        do throws(Refusal) {
            if first == UInt8(ascii: ":") { try keepPseudo(name, value) } else { try keep(name, value) }
        } catch {
            head.refusal = error
        }
    }

    /// A field that means what it meant before; the fields before it were plain.
    ///
    /// - Returns: false if it is not plain here; the whole head must be read by `field(_:_:)` then.
    mutating func field(_ known: HTTP2Field) -> Bool {
        head.fields += 1
        head.fieldBytes += known.bytes
        guard head.fields <= HeadLimits.fieldsMax, head.fieldBytes <= HeadLimits.fieldBytesMax else { return false }
        switch known.meaning {
        case .method(let method):
            head.method = method
            return takePseudo(.method)
        case .scheme: return takePseudo(.scheme)
        case .authority:
            head.hasHost = true
            return takePseudo(.authority)
        case .encodings(let encodings):
            head.hasRegular = true
            guard head.encodings.isUnsaid else { return false }
            head.encodings = encodings
            return true
        case .nothing:
            head.hasRegular = true
            return true
        }
    }

    private mutating func takePseudo(_ kind: HTTP2Head.Pseudo) -> Bool {
        !head.hasRegular && head.pseudo.insert(kind).inserted
    }

    /// True for a field that has to be read each time that it comes, though nothing depends on it but who asks.
    func namesClient(_ name: UnsafeRawBufferPointer) -> Bool { clientField?.isNamed(name) ?? false }

    /// True as long as no field broke a rule.
    var isPlain: Bool { !head.isMalformed && head.refusal == nil }

    /// Over all limits, what the fields say does not matter any more.
    var isFarTooLarge: Bool { head.fieldBytes > 4 * HeadLimits.fieldBytesMax }

    // MARK: Fields

    private mutating func keepPseudo(
        _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(Refusal) {
        let kind: HTTP2Head.Pseudo
        switch name.count {
        case 5 where name.isExactly(":path"): kind = .path
        case 7 where name.isExactly(":method"): kind = .method
        case 7 where name.isExactly(":scheme"): kind = .scheme
        case 10 where name.isExactly(":authority"): kind = .authority
        default: kind = []
        }
        guard !kind.isEmpty, !head.hasRegular, head.pseudo.insert(kind).inserted, !value.isEmpty || kind == .authority
        else {
            head.isMalformed = true
            return
        }
        switch kind {
        case .path: try keepPath(value)
        case .method: head.method = HTTP2Field.method(value)
        case .authority: try keepHost(value)
        default: break
        }
    }

    private mutating func keep(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(Refusal) {
        head.hasRegular = true
        guard name.isLoweredToken else {
            head.isMalformed = true
            return
        }
        switch HTTP2Field.Name(name) {
        case .te:
            if !value.isExactly("trailers") { head.isMalformed = true }
        case .host:
            try keepHost(value)
        case .ofConnection:
            // They speak of a connection, and here there is none of their kind.
            head.isMalformed = true
        case .authorization:
            if head.authorization != nil { throw .repeatedAuthorization }
            head.authorization = store(value)
        case .ifNoneMatch:
            keepTags(value)
        case .contentLength:
            try keepContentLength(value)
        case .acceptEncoding:
            head.encodings.read(value)
        case .other:
            if let clientField, clientField.isNamed(name) { client = clientField.client(value) }
        }
    }

    private mutating func keepContentLength(_ value: UnsafeRawBufferPointer) throws(Refusal) {
        let isNumber = !value.isEmpty && value.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard isNumber, !head.hasContentLength else {
            head.isMalformed = true
            return
        }
        head.hasContentLength = true
        if !value.allSatisfy({ $0 == UInt8(ascii: "0") }) { throw .body }
    }

    private mutating func keepHost(_ value: UnsafeRawBufferPointer) throws(Refusal) {
        head.hasHost = true
        guard value.isHost else { throw .badHost }
    }

    private mutating func keepPath(_ value: UnsafeRawBufferPointer) throws(Refusal) {
        guard value.count <= HeadLimits.requestLineBytesMax else { throw .requestLineTooLong }
        // `*` is what OPTIONS asks of the server as a whole.
        if value.isExactly("*") { return }
        guard value.first == UInt8(ascii: "/"), value.isTarget else { throw .badTarget }
        let all = store(value)
        guard let mark = value.firstIndex(of: UInt8(ascii: "?")) else {
            head.path = all
            return
        }
        head.path = all.lowerBound..<all.lowerBound + mark
        head.query = all.lowerBound + mark + 1..<all.upperBound
    }

    private mutating func keepTags(_ value: UnsafeRawBufferPointer) {
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
