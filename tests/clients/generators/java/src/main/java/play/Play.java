package play;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.ApiResponse;
import org.openapitools.client.api.FollowupApi;
import org.openapitools.client.api.IntakeApi;
import org.openapitools.client.api.RoutingApi;
import org.openapitools.client.model.Acknowledgement;
import org.openapitools.client.model.Channel;
import org.openapitools.client.model.FeedbackBody;
import org.openapitools.client.model.IntakeRequester;
import org.openapitools.client.model.Kind;
import org.openapitools.client.model.MatterShown;
import org.openapitools.client.model.ProblemDocument;
import org.openapitools.client.model.RequesterKind;
import org.openapitools.client.model.Submission;

/** Plays a request to its first feedback by the native client of openapi-generator. */
public final class Play {
  private Play() {}

  private static ApiClient as(String role) {
    ApiClient client = new ApiClient();
    client.updateBaseUri(System.getenv("ORIGIN"));
    client.setRequestInterceptor(
        builder -> builder.header("Authorization", "Bearer " + System.getenv(role)));
    return client;
  }

  private static Submission submission(String summary) {
    return new Submission()
        .source("https://one-stop.example/java")
        .sourceRef(System.getenv("REF"))
        .channel(Channel.WEB)
        .kind(Kind.HELP)
        .requester(
            new IntakeRequester()
                .kind(RequesterKind.ENTERPRISE)
                .id(System.getenv("FIRM"))
                .name(System.getenv("FIRM_NAME")))
        .summary(summary)
        .detail("雨后积水约二十厘米,货车无法进出。");
  }

  private static UUID offered(RoutingApi routing, UUID matter) throws Exception {
    for (int tries = 0; tries < 100; tries++) {
      for (var item : routing.getQueue("me", null, 200, null).getItems()) {
        if (item.getMatterId().equals(matter)) {
          return item.getOfferId();
        }
      }
      Thread.sleep(200);
    }
    throw new IllegalStateException("not offered within 20 s");
  }

  private static ProblemDocument refused(IntakeApi intake) throws Exception {
    try {
      intake.submitRequest(submission(""), null);
    } catch (ApiException problem) {
      return new ApiClient().getObjectMapper().readValue(problem.getResponseBody(), ProblemDocument.class);
    }
    throw new IllegalStateException("an empty summary was taken");
  }

  public static void main(String[] arguments) throws Exception {
    IntakeApi intake = new IntakeApi(as("SYSTEM"));
    RoutingApi routing = new RoutingApi(as("LIAISON"));
    FollowupApi followup = new FollowupApi(as("LIAISON"));
    ApiResponse<Acknowledgement> answer =
        intake.submitRequestWithHttpInfo(submission("园区北门道路积水"), null);
    UUID matter = answer.getData().getRequestId();
    routing.acceptOffer(offered(routing, matter), null, null);
    MatterShown told =
        followup.giveFeedback(matter, new FeedbackBody().text("已派人查看"), null, null);
    boolean listed =
        followup
            .listMatters(null, null, null, null, null, null, null, null, null, 200, null)
            .getItems()
            .stream()
            .anyMatch(each -> each.getMatterId().equals(matter));
    ProblemDocument problem = refused(intake);
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("status", answer.getStatusCode());
    line.put("receipt", answer.getData().getReceipt());
    line.put("state", told.getState().getValue());
    line.put("listed", listed);
    line.put("problem", problem.getType().getValue());
    line.put("pointer", problem.getErrors().get(0).getPointer());
    System.out.println(new ObjectMapper().writeValueAsString(line));
  }
}
