import CrateFile
import FoundationEssentials
package import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import Postgres
import Registry

/// What an error means to the one who asked: the only place where errors become statuses.
///
/// | error                                  | answer                              | logged as |
/// |----------------------------------------|-------------------------------------|-----------|
/// | `Refusal`                              | as it says                          | debug, from 500 on error |
/// | a name or version that breaks a rule   | 400, the rule's own words           | debug     |
/// | JSON or a body that can't be read      | 400, 413                            | debug     |
/// | a body, crate or manifest that breaks a rule | 400, 413 for a length             | debug     |
/// | PostgreSQL is away or too slow         | 503, `retry-after`                  | error     |
/// | no room for a blob, or in PostgreSQL   | 507                                 | error     |
/// | no such address or method (H11)        | 404 `Not Found`                     | debug     |
/// | the client went away                   | 400; nobody reads it                | debug     |
/// | anything else                          | 500 with the request's id (H13)     | error     |
struct Failure {
    let refusal: Refusal
    let level: Logger.Level

    init(_ error: any Error, requestID: String) {
        if let refusal = Self.known(error) {
            self.refusal = refusal
            level = refusal.status.code >= 500 ? .error : .debug
        } else {
            refusal = Refusal(
                .internalServerError,
                "the registry failed inside; its log has the cause under request id \(requestID). Trying again is safe")
            level = .error
        }
    }

    private static func known(_ error: any Error) -> Refusal? {
        switch error {
        case let error as Refusal: return error
        case let error as PostgresError: return database(error)
        case BlobError.full: return full("disk")
        default: return brokenRule(error) ?? framework(error)
        }
    }

    private static func full(_ place: String) -> Refusal {
        Refusal(
            .init(code: 507, reasonPhrase: "Insufficient Storage"),
            "the registry's \(place) is full, so nothing was stored: tell its operator, and try again when there is room"
        )
    }

    private static func database(_ error: PostgresError) -> Refusal? {
        if error.sqlState == SQLState.diskFull { return full("database disk") }
        if error.kind == .commitOutcomeUnknown {
            return .unavailable(
                "the registry lost its database while it stored the change: it may be there or not, so look first, "
                    + "then try again")
        }
        guard error.isUnavailable || error.kind == .timedOut else { return nil }
        return .unavailable("the registry can't reach its database now; nothing was changed, try again in a moment")
    }

    /// What the one who asks got wrong, in words made for them.
    private static func brokenRule(_ error: any Error) -> Refusal? {
        switch error {
        case let error as PublishFrame.Invalid where error.isTooLarge: .tooLarge("\(error)")
        case let error as PublishFrame.Invalid: .badRequest("\(error)")
        case let error as PublishMetadata.Invalid: .badRequest("\(error)")
        case let error as CrateFile.Objection: .badRequest("\(error)")
        case let error as ManifestReader.Invalid: .badRequest("\(error)")
        case let error as ManifestRules.Objection: .badRequest("\(error)")
        case let error as CrateName.Invalid: .badRequest("\(error)")
        case let error as Version.Invalid: .badRequest("\(error)")
        case let error as RepositoryName.Invalid: .badRequest("\(error)")
        case let error as LockFileName.Invalid: .badRequest("\(error)")
        case let error as CargoLock.Invalid: .badRequest("this is no `Cargo.lock`: \(error)")
        default: nil
        }
    }

    private static func framework(_ error: any Error) -> Refusal? {
        switch error {
        case is DecodingError: .badRequest("the request's body is not the JSON that this address expects")
        case is NIOTooManyBytesError: .tooLarge("the request's body is too large for this address")
        case is CancellationError, is ChannelError, is HTTPParserError:
            .badRequest("the request ended before it was complete")
        case let error as HTTPError where error.status == .notFound && error.body == nil: .unknownAddress
        case let error as HTTPError where error.status == .badRequest && error.body != nil:
            .badRequest("the request can't be read as this address expects it: \(error.body ?? "")")
        case let error as HTTPError:
            Refusal(error.status, error.body ?? error.status.reasonPhrase, headers: error.headers)
        case let error as any HTTPResponseError: Refusal(error.status, error.status.reasonPhrase)
        default: nil
        }
    }
}

/// In which form an address tells its refusals: cargo reads JSON from the API and prints text of index and downloads.
enum RefusalForm: Equatable {
    case json
    case text

    /// cargo prints at most this much of a text.
    static let textCharactersMax = 500

    init(path: String) {
        var parts = path.split(separator: "/", maxSplits: 5)[...]
        // `/t/{token}/…` is the address of a cargo that can't send a token on its own.
        if parts.first == "t" { parts = parts.dropFirst(2) }
        let place = parts.first == "edge" ? 2 : 1
        let word = parts.dropFirst(place).first ?? ""
        self = ["index", "crates", "dl"].contains(word) && parts.first != "api" ? .text : .json
    }

    func response(_ refusal: Refusal) -> Response {
        var headers = refusal.headers
        headers[.cacheControl] = "no-store"
        switch self {
        case .json:
            headers[.contentType] = "application/json"
            return Response(status: refusal.status, headers: headers, body: .init(byteBuffer: Self.json(refusal)))
        case .text:
            headers[.contentType] = "text/plain; charset=utf-8"
            let text = String(refusal.detail.prefix(Self.textCharactersMax - 1)) + "\n"
            return Response(status: refusal.status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
        }
    }

    static func json(_ refusal: Refusal) -> ByteBuffer {
        ByteBuffer(string: CargoAnswer.errors([refusal.detail]).json)
    }
}

/// The outermost middleware of the public routes: whatever is thrown below it becomes one answer and one log line.
package struct FailureMiddleware<Context: RequestContext>: RouterMiddleware {
    package init() {}

    package func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let failure = Failure(error, requestID: context.id)
            context.logger.log(
                level: failure.level, "request refused",
                metadata: [
                    "status": "\(failure.refusal.status.code)", "method": "\(request.method)",
                    "cause": "\(failure.level == .error ? String(reflecting: error) : failure.refusal.detail)",
                ])
            let response = RefusalForm(path: request.uri.path).response(failure.refusal)
            return request.method == .head ? response.createHeadResponse() : response
        }
    }
}
