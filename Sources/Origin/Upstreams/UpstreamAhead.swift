import HTTPTypes
import Postgres
import Registry

/// Asking upstreams for names that nobody asked for yet: what a resolver will ask next.
extension UpstreamDesk {
    /// A name, and how it stands at the upstreams that may be asked for it.
    struct Asked: Sendable {
        let name: CrateName
        let at: [UpstreamStanding]
        /// Before that was read.
        let since: UpstreamQuestions.Moment
    }

    /// What was learnt of a name.
    enum Ahead: Sendable {
        /// Its lines; the task ends when they are written.
        case lines([UpstreamLine], Task<Answer, any Error>)
        /// It is in the database meanwhile.
        case kept
        /// It is nowhere, or nobody can tell.
        case nothing
    }

    /// How names stand, read at once; nothing waits for an upstream.
    func standings(of names: [CrateName], in repository: Repository) async throws -> [Asked] {
        let moment = moment
        return try await store.pool.withTransaction(isolation: .repeatableRead, readOnly: true) { transaction in
            try await standings(of: names, in: repository, since: moment, transaction)
        }
    }

    /// In the snapshot of a transaction; reserved names and our own have no upstream.
    ///
    /// - Parameter moment: before the transaction began.
    func standings(
        of names: [CrateName], in repository: Repository, since moment: UpstreamQuestions.Moment,
        _ transaction: Transaction
    ) async throws -> [Asked] {
        let standings = try await store.standings(of: names, in: repository, transaction)
        return names.map { Asked(name: $0, at: standings[$0.lowered] ?? [], since: moment) }
    }

    /// Asks for a name that is not known, behind all that somebody waits for. A fault is noted as any other.
    func hear(_ asked: Asked, in repository: Repository) async throws -> Ahead {
        for standing in asked.at where standing.verdict != .absent {
            guard standing.verdict == .unknown else { return .nothing }
            switch try await heard(asked, standing, in: repository) {
            case .absent: continue
            case .other(let ahead): return ahead
            }
        }
        return .nothing
    }

    private enum AtOne {
        case absent
        case other(Ahead)
    }

    private func heard(
        _ asked: Asked, _ standing: UpstreamStanding, in repository: Repository
    ) async throws -> AtOne {
        let question = ask(asked.name, standing, since: asked.since, in: repository, isAhead: true)
        do {
            switch try await question.heard.value {
            case .said(_, let file?): return .other(.lines(file.lines, question.kept))
            case .said, .known: break
            }
            switch try await question.kept.value {
            case .absent: return .absent
            case .present: return .other(.kept)
            case .fault: return .other(.nothing)
            }
        } catch is UpstreamQuestions.Overtaken {
            // Joins the one that has overtaken it, or finds what that has brought.
            return try await heard(asked, standing, in: repository)
        } catch is UpstreamFault {
            return .other(.nothing)
        } catch let refusal as Refusal where refusal.status == .serviceUnavailable {
            // Too many wait already.
            return .other(.nothing)
        }
    }
}

extension [UpstreamStanding] {
    /// An upstream has to be asked before anything can be said of the name.
    var isUnknown: Bool { first { $0.verdict != .absent }?.verdict == .unknown }
}
