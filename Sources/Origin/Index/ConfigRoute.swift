package import Hummingbird
import NIOCore
import Registry

/// `GET /{repository}/index/config.json`: where the API and the files are.
///
/// | situation                         | answer                                              | case       |
/// |-----------------------------------|-----------------------------------------------------|------------|
/// | public repository                 | 200 JSON, whatever validators came                  | A1, A2     |
/// | private, valid token              | 200 with `auth-required: true`                      | D2         |
/// | private, no token or a bad one    | 401 with `WWW-Authenticate: Cargo login_url="…"`    | D1, D13, D14 |
/// | private, token without read right | 403                                                 | D4         |
///
/// A 304 would be an error to cargo, since it keeps no validators of this file.
package struct ConfigRoute: Sendable {
    let repositories: RepositoryStore
    let addresses: PublicAddresses

    package init(repositories: RepositoryStore, addresses: PublicAddresses) {
        self.repositories = repositories
        self.addresses = addresses
    }

    package func add(to router: some RouterMethods<OriginContext>) {
        for method in [HTTPRequest.Method.get, .head] {
            router.on("/:repository/index/config.json", method: method) { request, context in
                try await answer(request, context)
            }
        }
    }

    private func answer(_ request: Request, _ context: OriginContext) async throws -> Response {
        let repository = try await repositories.named(in: context)
        guard request.uri.path == "/\(repository.name)/index/config.json" else { throw Refusal.unknownAddress }
        try context.principal.requireRead(repository, of: nil)
        let headers: HTTPFields = [
            .contentType: "application/json", .cacheControl: repository.isPrivate ? "private, no-cache" : "no-cache",
        ]
        let body = ByteBuffer(string: addresses.config(repository).json)
        let response = Response(status: .ok, headers: headers, body: .init(byteBuffer: body))
        return request.method == .head ? response.createHeadResponse() : response
    }
}
