package bench;

public class Auction {
  public long id;
  public String itemName, description;
  public long initialBid, reserve, dateTime, expires, seller, category;
  public String extra;
}
