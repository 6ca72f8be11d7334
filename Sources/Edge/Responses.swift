import EdgeHTTP
import NIOCore

/// How an answer came about, as cargo prints it from `x-cache`.
enum CacheState: String, Sendable { case hit = "HIT", miss = "MISS", stale = "STALE" }

/// The headers and texts that every answer of this edge shares.
///
/// Refusals are one sentence of at most 500 characters of plain text, because cargo prints exactly that.
/// Source: docs/PROTOCOL.md, "Status codes on index requests".
struct Responses: Sendable {
    /// The edge's name, in `x-served-by`.
    let servedBy: String

    let notFound: RenderedAnswer
    let methodNotAllowed: RenderedAnswer
    let unknownRepository: RenderedAnswer
    let noCrate: RenderedAnswer
    let noCrateNow: RenderedAnswer
    let noDownload: RenderedAnswer
    let unavailable: RenderedAnswer

    init(servedBy: String) {
        self.servedBy = servedBy
        func refuse(_ status: Int, _ text: String, _ cache: CacheState = .miss, _ more: [(String, String)] = [])
            -> RenderedAnswer
        { Self.refusal(status, text, cache, servedBy: servedBy, more) }
        notFound = refuse(404, "this edge has no such address; an index is at `/{repository}/index/`")
        methodNotAllowed = refuse(
            405,
            "an edge only answers GET and HEAD; cargo finds the address for other requests in `api` of config.json",
            .miss, [("allow", "GET, HEAD")])
        unknownRepository = refuse(404, "this registry has no such repository; check the name in the index URL")
        noCrate = refuse(404, "this repository has no crate of that name", .hit)
        noCrateNow = refuse(404, "this repository has no crate of that name")
        noDownload = refuse(
            404, "this repository has no such version with that checksum; `cargo update` reads the index again")
        unavailable = refuse(
            503, "this edge does not hold the file and can't get it from its origin just now; try again in a moment",
            .miss, [("retry-after", "2")])
    }

    func refusal(_ status: Int, _ text: String, _ more: [(String, String)] = []) -> RenderedAnswer {
        Self.refusal(status, text, .miss, servedBy: servedBy, more)
    }

    /// `unavailable`, with the origin's own words on why it has no answer, such as the upstream that does not answer it.
    func unavailable(_ words: String?) -> RenderedAnswer {
        guard let words else { return unavailable }
        return refusal(503, "this edge does not hold the file, and its origin says: \(words)", [("retry-after", "2")])
    }

    /// `x-cache`, `x-served-by`, and the warning that a stale answer carries.
    func common(_ cache: CacheState) -> [(name: String, value: String)] { Self.common(cache, servedBy) }

    private static func common(_ cache: CacheState, _ servedBy: String) -> [(name: String, value: String)] {
        let always = [(name: "x-cache", value: cache.rawValue), (name: "x-served-by", value: servedBy)]
        return cache == .stale ? always + [(name: "warning", value: "110 - \"Response is Stale\"")] : always
    }

    private static func refusal(
        _ status: Int, _ text: String, _ cache: CacheState, servedBy: String, _ more: [(String, String)]
    ) -> RenderedAnswer {
        let headers = [(name: "content-type", value: "text/plain; charset=utf-8"), ("cache-control", "no-store")]
        return RenderedAnswer(
            status: status, headers: headers + common(cache, servedBy) + more.map { (name: $0.0, value: $0.1) },
            body: ByteBuffer(string: String(text.prefix(499)) + "\n"))
    }
}
