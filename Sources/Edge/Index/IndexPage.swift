import EdgeCache
import EdgeHTTP
import NIOCore
import Registry

/// An index file in memory with its answers, rendered when it came and sent as they are to everybody.
final class IndexPage: Sendable {
    let tag: EntityTag
    /// The tag as cargo echoes it, byte for byte.
    let tagBytes: ByteBuffer
    let full: RenderedAnswer
    let notModified: RenderedAnswer
    /// True after a restart: compressing everything at once would keep the first clients waiting.
    let wantsGzip: Bool
    private let responses: Responses

    convenience init(_ body: ByteBuffer, _ tag: EntityTag, _ responses: Responses) {
        self.init(body, tag, gzip: GzipBody.compress(body), wantsGzip: false, responses)
    }

    convenience init(uncompressed body: ByteBuffer, _ tag: EntityTag, _ responses: Responses) {
        self.init(body, tag, gzip: nil, wantsGzip: body.readableBytes >= GzipBody.bytesMin, responses)
    }

    /// - Parameter packed: `body` as a gzip member, as the origin has made it.
    convenience init(_ body: ByteBuffer, packed: ByteBuffer, _ tag: EntityTag, _ responses: Responses) {
        let pays = body.readableBytes >= GzipBody.bytesMin && packed.readableBytes < body.readableBytes
        self.init(body, tag, gzip: pays ? packed : nil, wantsGzip: false, responses)
    }

    private init(
        _ body: ByteBuffer, _ tag: EntityTag, gzip: ByteBuffer?, wantsGzip: Bool, _ responses: Responses
    ) {
        self.tag = tag
        self.wantsGzip = wantsGzip
        self.responses = responses
        tagBytes = ByteBuffer(string: tag.description)
        let headers = Self.headers(tag, .hit, responses)
        full = RenderedAnswer(
            status: 200, headers: [("content-type", "text/plain; charset=utf-8")] + headers, body: body.compact,
            gzip: gzip?.compact)
        notModified = RenderedAnswer(status: 304, headers: headers, body: ByteBuffer())
    }

    var value: CachedValue {
        CachedValue(
            payload: self, body: full.body, tag: tag,
            bytes: full.body.storageCapacity + (full.gzip?.storageCapacity ?? 0) + Self.renderedBytes)
    }

    /// The same page as it would be had it come from the origin.
    var finished: IndexPage { wantsGzip ? IndexPage(full.body, tag, responses) : self }

    /// What two rendered answers cost beside the bodies, roughly.
    private static let renderedBytes = 2048

    func answer(isKnown: Bool, _ cache: CacheState) -> RenderedAnswer {
        let held = isKnown ? notModified : full
        guard cache != .hit else { return held }
        let type = isKnown ? [] : [(name: "content-type", value: "text/plain; charset=utf-8")]
        return RenderedAnswer(
            status: held.status, headers: type + Self.headers(tag, cache, responses), body: held.body, gzip: held.gzip)
    }

    private static func headers(
        _ tag: EntityTag, _ cache: CacheState, _ responses: Responses
    ) -> [(name: String, value: String)] {
        [(name: "etag", value: tag.description), ("cache-control", "no-cache"), ("vary", "accept-encoding")]
            + responses.common(cache)
    }
}

extension ByteBuffer {
    /// The same bytes in a block of their own that is less than twice their size, for buffers that are kept.
    ///
    /// What comes from the network is often a part of a block of 64 KiB, and what zlib writes of one as large as its
    /// input; both would stay whole for as long as the few bytes in them are held.
    fileprivate var compact: ByteBuffer { storageCapacity < 2 * readableBytes ? self : ByteBuffer(buffer: self) }
}

/// What a client's `If-None-Match` says of a page.
struct Validators: Sendable {
    /// The highest generation that the client has seen; 0 for none.
    let witness: UInt64
    private let known: [EntityTag]
    private let isAny: Bool

    init(_ header: ByteBuffer?) {
        guard let header else {
            (witness, known, isAny) = (0, [], false)
            return
        }
        let text = String(buffer: header)
        known = EntityTag.list(text)
        witness = known.map(\.generation).max() ?? 0
        isAny = text.allSatisfy { $0 == "*" || $0 == " " } && text.contains("*")
    }

    /// Weak comparison, as RFC 9110 wants it for `If-None-Match`.
    func know(_ tag: EntityTag) -> Bool { isAny || known.contains(tag) }
}
