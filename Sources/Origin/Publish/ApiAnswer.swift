import Hummingbird
import NIOCore
import Registry

extension Response {
    /// 200, always: cargo up to 1.75 knows no other success, and an empty body is an error to it (H5).
    static func cargo(_ answer: CargoAnswer) -> Response {
        let headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: answer.json)))
    }
}

extension RepositoryStore {
    /// The repository that the path names first.
    ///
    /// - Throws: 404; a text that can't be a name names no repository.
    func named(in context: OriginContext) async throws -> Repository {
        guard let text = context.parameters.get("repository"), let name = try? RepositoryName(text) else {
            throw Refusal.unknownAddress
        }
        return try await require(name)
    }
}
