import EdgeCache
import EdgeHTTP
import NIOCore
import Registry

/// Every address of an edge, and the way of a request to its answer.
///
/// | address                                                | serves                      |
/// |--------------------------------------------------------|-----------------------------|
/// | `/{repository}/index/config.json`                      | `RepositoryTable`           |
/// | `/{repository}/index/{index path}`                     | `IndexRoute`                |
/// | `/{repository}/crates/{name}/{version}/{sha256}.crate` | `CrateRoute`                |
/// | the same with `?ls-exp=…&ls-sig=…`                     | the same, opened by the signature (`SignedAccess`) |
/// | `/t/{token}/…`                                         | the same, token in the path |
/// | anything else                                          | 404; other methods 405      |
///
/// What is held and current is answered at once, on the connection's event loop and under one lock; everything else
/// in a task that goes on when the client leaves.
struct Routes: EdgeHandler {
    let desk: CacheDesk
    let access: ReadAccess
    let index: IndexRoute
    let crates: CrateRoute
    let responses: Responses
    let meters: CacheMeters

    func answer(_ request: EdgeRequest, on loop: any EventLoop) -> EdgeAnswer {
        guard request.method != .other else { return .rendered(responses.methodNotAllowed) }
        guard let path = EdgePath(request.path) else { return .rendered(responses.notFound) }
        if let answer = quick(path, request) { return answer }
        let promise = loop.makePromise(of: EdgeAnswer.self)
        Task { promise.succeed(await find(path, request)) }
        return .later(promise.futureResult)
    }

    private enum Quick {
        case answer(RenderedAnswer, reader: String = "")
        case pass(CratePass, RepositoryFacts, reader: String)
        case ask
    }

    private func quick(_ path: EdgePath, _ request: EdgeRequest) -> EdgeAnswer? {
        let quick: Quick = desk.withCore { core, now in
            switch access.quick(path, request, &core, at: now) {
            case nil: return .ask
            case .refused(let answer): return .answer(answer)
            case .allowed(let facts, _, let reader):
                switch path.target {
                case .config: return .answer(facts.config)
                case .index:
                    return index.quick(path, request.ifNoneMatch, &core, at: now).map { .answer($0, reader: reader) }
                        ?? .ask
                case .crate:
                    return crates.quickPass(path, &core, at: now).map { .pass($0, facts, reader: reader) } ?? .ask
                }
            }
        }
        switch quick {
        case .ask: return nil
        case .answer(let answer, let reader):
            meters.read(path.target, .hit)
            return EdgeAnswer.rendered(answer).credited(to: reader)
        case .pass(let pass, let facts, let reader):
            let answer = crates.quick(pass, path, in: facts)
            if answer != nil { meters.read(path.target, .hit) }
            return answer?.credited(to: reader)
        }
    }

    private func find(_ path: EdgePath, _ request: EdgeRequest) async -> EdgeAnswer {
        let answer = await look(path, request)
        meters.read(path.target, answer.cacheState)
        return answer
    }

    private func look(_ path: EdgePath, _ request: EdgeRequest) async -> EdgeAnswer {
        switch await access.find(path, request) {
        case .refused(let answer):
            return .rendered(answer)
        case .allowed(let facts, let isCurrent, let reader):
            let answer: EdgeAnswer =
                switch path.target {
                case .config: .rendered(facts.config(isCurrent ? .hit : .stale, responses))
                case .index: .rendered(await index.find(path, request.ifNoneMatch, in: facts))
                case .crate: await crates.find(path, in: facts)
                }
            return answer.credited(to: reader)
        }
    }
}

extension EdgeAnswer {
    /// - Parameter reader: the token's id; empty for an anonymous reader, whose answers stay as they are.
    fileprivate func credited(to reader: String) -> EdgeAnswer { reader.isEmpty ? self : .credited(self, to: reader) }

    fileprivate var cacheState: CacheState {
        let headers: [(name: String, value: String)]
        switch self {
        case .rendered(let answer): headers = answer.headers
        case .file(let answer): headers = answer.headers
        case .credited(let answer, _): return answer.cacheState
        case .later: return .miss
        }
        return headers.first { $0.name == "x-cache" }.flatMap { CacheState(rawValue: $0.value) } ?? .miss
    }
}
