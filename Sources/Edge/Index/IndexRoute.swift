import EdgeCache
import EdgeHTTP
import NIOCore
import Registry

/// `GET /{repository}/index/{path}`: the index file of one crate.
///
/// | situation                          | answer                     | case   |
/// |------------------------------------|----------------------------|--------|
/// | path is not canonical              | 404                        | A13    |
/// | held and current                   | 200 or 304, `x-cache: HIT` | A4, A5 |
/// | the client has seen a newer one    | asks the origin            | I5     |
/// | origin has the file                | 200 or 304, `MISS`         |        |
/// | origin says there is no such crate | 404, `no-store`            | A11    |
/// | origin silent, held                | 200 or 304, `STALE`        | A31    |
/// | origin silent, nothing held        | 503, `retry-after: 2`      | A32    |
/// | origin says 503 and why            | the same, with its words   | A32    |
///
/// A 404 makes cargo delete its own copy, so it is said only on the origin's word.
/// Source: docs/PROTOCOL.md, "Sparse index".
struct IndexRoute: Sendable {
    let desk: CacheDesk
    let responses: Responses

    /// The answer from what is held and current; nil if the origin has to be asked. Runs under the core's lock.
    func quick(
        _ path: EdgePath, _ ifNoneMatch: ByteBuffer?, _ core: inout CacheCore, at now: Moment
    ) -> RenderedAnswer? {
        guard let held = core.glance(CacheKey(path: path.key), at: now) else { return nil }
        guard let page = Self.page(held) else {
            return Validators(ifNoneMatch).witness == 0 ? responses.noCrate : nil
        }
        guard !page.wantsGzip else { return nil }
        guard let ifNoneMatch else { return page.full }
        if let answer = ifNoneMatch.withUnsafeReadableBytes({ Self.answer(page, toTag: $0) }) { return answer }
        let validators = Validators(ifNoneMatch)
        guard validators.witness <= page.tag.generation else { return nil }
        return page.answer(isKnown: validators.know(page.tag), .hit)
    }

    /// The same for a glimpse; nil, too, if the client's validators are more than a tag of ours.
    func glance(_ glimpse: EdgeGlimpse, _ core: inout CacheCore, at now: Moment) -> RenderedAnswer? {
        guard let held = core.glance(bytes: glimpse.path, at: now), let page = Self.page(held), !page.wantsGzip else {
            return nil
        }
        guard let tag = glimpse.ifNoneMatch else { return page.full }
        return Self.answer(page, toTag: tag)
    }

    /// The answer to what cargo sends in nearly every request: one tag of ours, of this page or of an older one.
    private static func answer(_ page: IndexPage, toTag tag: UnsafeRawBufferPointer) -> RenderedAnswer? {
        if page.tagBytes.isEqual(to: tag) { return page.notModified }
        guard let witness = EntityTag.generation(ofExact: tag), witness <= page.tag.generation else { return nil }
        return page.full
    }

    /// The repository whose index a path lies in, if it is written as we would; nil for a path with a token.
    static func repository(in path: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        let tail = UnsafeRawBufferPointer(rebasing: path.dropFirst())
        guard path.starts(with: "/"), !path.starts(with: "/t/"), let length = tail.place(of: UInt8(ascii: "/")),
            length > 0,
            UnsafeRawBufferPointer(rebasing: tail[length...]).starts(with: "/index/")
        else { return nil }
        return UnsafeRawBufferPointer(rebasing: tail[..<length])
    }

    func find(_ path: EdgePath, _ ifNoneMatch: ByteBuffer?, in facts: RepositoryFacts) async -> RenderedAnswer {
        guard let (repository, file) = EdgePath.index(String(buffer: path.key)) else { return responses.notFound }
        let validators = Validators(ifNoneMatch)
        let question = CacheQuestion(
            .index(repository, file), .index, witness: validators.witness, offline: facts.offline)
        let finding = await desk.ask(question)
        guard let (value, cache) = finding.word else { return responses.unavailable(finding.words) }
        return answer(finish(value, question.key), validators, cache)
    }

    /// Compresses a page of an earlier run on its first use.
    private func finish(_ value: CachedValue, _ key: CacheKey) -> CachedValue {
        guard let page = Self.page(value), page.wantsGzip else { return value }
        let finished = page.finished.value
        desk.withCore { core, _ in core.exchange(key, value, for: finished) }
        return finished
    }

    private func answer(_ value: CachedValue, _ validators: Validators, _ cache: CacheState) -> RenderedAnswer {
        guard let page = Self.page(value) else {
            return cache == .hit ? responses.noCrate : responses.noCrateNow
        }
        return page.answer(isKnown: validators.know(page.tag), cache)
    }

    private static func page(_ value: CachedValue) -> IndexPage? {
        value.payload.map { unsafeDowncast($0, to: IndexPage.self) }
    }
}
