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
/// in a task that goes on when the client leaves. A class: a server that holds a struct behind a protocol copies it for each
/// request, and counts every owner in it.
final class Routes: EdgeHandler {
    let desk: CacheDesk
    let access: ReadAccess
    let index: IndexRoute
    let crates: CrateRoute
    let responses: Responses
    let meters: CacheMeters
    let refusals: RefusalNotes

    init(
        desk: CacheDesk, access: ReadAccess, index: IndexRoute, crates: CrateRoute, responses: Responses,
        meters: CacheMeters, refusals: RefusalNotes
    ) {
        self.desk = desk
        self.access = access
        self.index = index
        self.crates = crates
        self.responses = responses
        self.meters = meters
        self.refusals = refusals
    }

    func answer(_ request: EdgeRequest, on loop: any EventLoop, memo: inout EdgeMemo?) -> EdgeAnswer {
        let path = EdgePath(request.path)
        var answer = answer(request, path, on: loop, &memo)
        answer.label = RouteLabel(path?.target).rawValue
        return answer
    }

    /// Index files of public repositories only; they are counted by the observer, once they are sure to leave.
    func glance(_ glimpse: EdgeGlimpse) -> EdgeGlance? {
        guard let name = IndexRoute.repository(in: glimpse.path) else { return nil }
        let answer = desk.withCore { core, now in
            access.isOpenToAll(name, &core, at: now) ? index.glance(glimpse, &core, at: now) : nil
        }
        return answer.map { EdgeGlance($0, label: RouteLabel.index.rawValue) }
    }

    private func answer(
        _ request: EdgeRequest, _ path: EdgePath?, on loop: any EventLoop, _ memo: inout EdgeMemo?
    ) -> EdgeAnswer {
        guard request.method != .other else { return .rendered(responses.methodNotAllowed) }
        guard let path else { return .rendered(responses.notFound) }
        let secret = SecretMemo.secret(of: path, request, &memo)
        if let answer = quick(path, request, secret) { return answer }
        let promise = loop.makePromise(of: EdgeAnswer.self)
        Task {
            var answer = await find(path, request, secret)
            answer.label = RouteLabel(path.target).rawValue
            promise.succeed(answer)
        }
        return .later(promise.futureResult)
    }

    private enum Quick {
        case answer(RenderedAnswer, reader: String = "")
        case refused(RenderedAnswer, why: RefusedAccess?)
        case pass(CratePass, RepositoryFacts, reader: String)
        case ask
    }

    private func quick(_ path: EdgePath, _ request: EdgeRequest, _ secret: SecretMemo?) -> EdgeAnswer? {
        let quick: Quick = desk.withCore { core, now in
            switch access.quick(path, request, secret, &core, at: now) {
            case nil: return .ask
            case .refused(let answer, let why): return .refused(answer, why: why)
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
            return EdgeAnswer(.rendered(answer), credit: reader)
        case .refused(let answer, let why):
            meters.read(path.target, .hit)
            if let why { refusals.note(why, request) }
            return .rendered(answer)
        case .pass(let pass, let facts, let reader):
            guard let found = crates.quick(pass, path, in: facts) else { return nil }
            meters.read(path.target, .hit)
            return told(found, path, facts, reader, request)
        }
    }

    /// The answer to a download, on its reader's account; noted if policy refuses it.
    private func told(
        _ found: CrateRoute.Found, _ path: EdgePath, _ facts: RepositoryFacts, _ reader: String, _ request: EdgeRequest
    ) -> EdgeAnswer {
        var answer = found.answer
        answer.credit = reader
        if let block = found.block {
            let why = RefusedAccess(
                rule: block.rule ?? AccessRefusal.Rule.policy, reader: .init(reader), repository: facts.name,
                file: EdgePath.crate(String(buffer: path.key))?.1, reason: block.reason)
            refusals.note(why, request)
        }
        return answer
    }

    private func find(_ path: EdgePath, _ request: EdgeRequest, _ secret: SecretMemo?) async -> EdgeAnswer {
        let answer = await look(path, request, secret)
        meters.read(path.target, answer.cacheState)
        return answer
    }

    private func look(_ path: EdgePath, _ request: EdgeRequest, _ secret: SecretMemo?) async -> EdgeAnswer {
        switch await access.find(path, request, secret) {
        case .refused(let answer, let why):
            if let why { refusals.note(why, request) }
            return .rendered(answer)
        case .allowed(let facts, let isCurrent, let reader):
            switch path.target {
            case .config:
                return EdgeAnswer(.rendered(facts.config(isCurrent ? .hit : .stale, responses)), credit: reader)
            case .index:
                return EdgeAnswer(.rendered(await index.find(path, request.ifNoneMatch, in: facts)), credit: reader)
            case .crate:
                return told(await crates.find(path, in: facts), path, facts, reader, request)
            }
        }
    }
}

extension EdgeAnswer {
    fileprivate var cacheState: CacheState {
        let headers: [(name: String, value: String)]
        switch content {
        case .rendered(let answer): headers = answer.headers
        case .file(let answer): headers = answer.headers
        case .later: return .miss
        }
        return headers.first { $0.name == "x-cache" }.flatMap { CacheState(rawValue: $0.value) } ?? .miss
    }
}

/// What requests are counted under, as the observer gets it back.
enum RouteLabel: UInt8, CaseIterable {
    case none, config, index, crate

    init(_ target: EdgePath.Target?) {
        switch target {
        case nil: self = .none
        case .config: self = .config
        case .index: self = .index
        case .crate: self = .crate
        }
    }
}
