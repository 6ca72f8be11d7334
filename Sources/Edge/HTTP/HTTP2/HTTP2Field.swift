/// A field that means the same in each request, and was found without fault once.
///
/// A client's table is full of them: method, scheme, host, encodings, its own name. They need not be read again.
struct HTTP2Field {
    enum Meaning {
        case method(EdgeRequest.Method)
        case scheme
        case authority
        case encodings(AcceptEncoding)
        /// Nothing here needs it.
        case nothing
    }

    let meaning: Meaning
    /// Of name and value, for the limits.
    let bytes: Int

    /// - Returns: nil for fields whose meaning depends on more than themselves.
    init?(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        bytes = name.count + value.count
        if name.first == UInt8(ascii: ":") {
            switch name.count {
            case 7 where name.isExactly(":method"): meaning = .method(Self.method(value))
            case 7 where name.isExactly(":scheme"): meaning = .scheme
            case 10 where name.isExactly(":authority"): meaning = .authority
            default: return nil
            }
            return
        }
        switch Name(name) {
        case .acceptEncoding:
            var encodings = AcceptEncoding()
            encodings.read(value)
            meaning = .encodings(encodings)
        case .other: meaning = .nothing
        default: return nil
        }
    }

    static func method(_ value: UnsafeRawBufferPointer) -> EdgeRequest.Method {
        value.isExactly("GET") ? .get : value.isExactly("HEAD") ? .head : .other
    }

    /// The names of regular fields that mean something here.
    enum Name {
        case te, host, ofConnection, authorization, ifNoneMatch, contentLength, acceptEncoding, other

        init(_ name: UnsafeRawBufferPointer) {
            switch name.count {
            case 2 where name.isExactly("te"): self = .te
            case 4 where name.isExactly("host"): self = .host
            case 7 where name.isExactly("upgrade"),
                10 where name.isExactly("connection") || name.isExactly("keep-alive"),
                16 where name.isExactly("proxy-connection"), 17 where name.isExactly("transfer-encoding"):
                self = .ofConnection
            case 13 where name.isExactly("authorization"): self = .authorization
            case 13 where name.isExactly("if-none-match"): self = .ifNoneMatch
            case 14 where name.isExactly("content-length"): self = .contentLength
            case 15 where name.isExactly("accept-encoding"): self = .acceptEncoding
            default: self = .other
            }
        }
    }
}
